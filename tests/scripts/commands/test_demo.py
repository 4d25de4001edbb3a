"""`skillweave demo`: what it refuses before anything starts, and what it may remove."""

from pathlib import Path

import pytest
from skillweave.adapters.skills import Skill, write_skill
from skillweave.scripts.cli import EXIT_FAILED, EXIT_USAGE, main

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
    assert "holds thesis.txt, which no demo wrote" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
    assert (tmp_path / "store" / "mine").read_text() == "too"
