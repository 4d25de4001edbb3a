"""`skillweave check` on the command line: exit codes, stdout, stderr."""

import json
from pathlib import Path

import pytest
from skillweave.scripts.cli import main

GOOD = (
    "---\nname: sort\ndescription: Sort a list by hand. Use when a [list] is out of order.\n"
    "license: MIT\n---\n\nSort [bold]it.\n"
)


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    folder = tmp_path / "sort"
    folder.mkdir()
    (folder / "SKILL.md").write_text(GOOD, encoding="utf-8")
    return folder


def test_a_valid_skill_exits_with_zero_and_says_what_weights_carry(
    skill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(skill)]) == 0
    out, err = capsys.readouterr()
    assert "sort  valid" in out
    assert "weights can carry all of it" in out
    assert err == ""


def test_an_invalid_skill_exits_with_one_and_every_problem_on_stderr(
    skill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = GOOD.replace("name: sort", "name: Sort").replace("license", "licence")
    (skill / "SKILL.md").write_text(text, encoding="utf-8")
    assert main(["check", str(skill)]) == 1
    out, err = capsys.readouterr()
    assert "3 problem(s)" in out
    assert [line.startswith(f"{skill}: ") for line in err.splitlines()] == [True] * 3


def test_a_missing_folder_is_told_apart_from_a_good_one(
    skill: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(skill), str(tmp_path / "nowhere")]) == 1
    out, err = capsys.readouterr()
    assert "2 skill(s), 1 invalid" in out
    assert "does not exist" in err


def test_json_goes_to_stdout_alone(skill: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (skill / "SKILL.md").write_text("no frontmatter", encoding="utf-8")
    assert main(["check", "--json", str(skill)]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["skills"][0]["name"] is None
    assert "no frontmatter" in err


def test_no_folder_at_all_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 2
    assert "SKILL_DIR" in capsys.readouterr().err
