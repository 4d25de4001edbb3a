"""`skillweave demo`: what it refuses before anything starts, and what it may remove."""

from pathlib import Path

import pytest
from skillweave.adapters.skills import Skill, write_skill
from skillweave.scripts.cli import EXIT_FAILED, EXIT_USAGE, main
from skillweave.scripts.commands.demo import ITEMS, OUT, SKILLS, command_line

Capture = pytest.CaptureFixture[str]


def test_a_folder_that_is_none_and_a_folder_of_too_few_skills(
    tmp_path: Path, capsys: Capture
) -> None:
    for folder, reason in ((tmp_path / "nowhere", "is no folder"), (tmp_path, "holds 0 skills")):
        assert main(["demo", "--skills", str(folder), "--out", str(tmp_path / "o")]) == EXIT_USAGE
        assert reason in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_skills_that_cannot_be_trained_are_refused_before_anything_is_written(
    tmp_path: Path, capsys: Capture
) -> None:
    for name in ("one", "two"):
        write_skill(Skill(name, "Reverse a list. Use when asked.", body="Reverse the list."),
                    tmp_path / "skills" / name)  # fmt: skip
    code = main(["demo", "--skills", str(tmp_path / "skills"), "--out", str(tmp_path / "o")])
    assert code == EXIT_FAILED
    assert "'one' has no checker" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_a_folder_with_somebodys_files_is_left_alone(
    repository: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "mine").write_text("too")
    examples = repository / "examples" / "skills"
    assert main(["demo", "--skills", str(examples), "--out", str(tmp_path)]) == EXIT_USAGE
    assert "holds store, thesis.txt, which no demo wrote" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
    assert (tmp_path / "store" / "mine").read_text() == "too"


@pytest.mark.parametrize(
    "option", [("--seed", "-1"), ("--seed", str(2**31)), ("--items", "7"), ("--items", "many")]
)
def test_numbers_out_of_range_are_wrong_use(
    option: tuple[str, str], tmp_path: Path, capsys: Capture
) -> None:
    assert main(["demo", *option, "--out", str(tmp_path / "o")]) == EXIT_USAGE
    assert option[0] in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_a_users_store_is_never_taken_for_that_of_a_demo(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("SKILLWEAVE_HOME", str(tmp_path))
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "mine").write_text("weeks of training")
    examples = str(repository / "examples" / "skills")
    assert main(["demo", "--skills", examples, "--out", str(tmp_path)]) == EXIT_USAGE
    assert "your own store" in capsys.readouterr().err
    assert (tmp_path / "store" / "mine").read_text() == "weeks of training"


def test_the_report_tells_the_command_without_a_machines_paths(tmp_path: Path) -> None:
    assert command_line(out=OUT, skills=SKILLS, seed=0, items=ITEMS, base=None) == "skillweave demo"
    told = command_line(
        out=tmp_path / "my out", skills=Path("mine"), seed=3, items=9, base=Path("../bases/b")
    )
    assert told == (
        "skillweave demo --out '.../my out' --skills mine --seed 3 --items 9 --base .../b"
    )
