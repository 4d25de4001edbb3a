"""`bank` on the command line: a bank is made, shown, forked and rolled back."""

import json
from pathlib import Path

import pytest
from skillweave.adapters.skills import Skill, write_skill
from skillweave.distill.bank import Observation, open_bank, read_bank
from skillweave.scripts.cli import main

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def skills(tmp_path: Path) -> list[str]:
    out = []
    for name in ("word-count", "line-count"):
        told = f"Do {name}. Use when somebody asks for the {name} of a text."
        skill = Skill(name, told, body=f"1. Do the {name}.", license="MIT")
        out.append(str(write_skill(skill, tmp_path / name).parent))
    return out


def said(capsys: Capture, *words: str, code: int = 0) -> str:
    assert main(["bank", *words]) == code
    return capsys.readouterr().out


def test_a_bank_is_made_listed_and_shown(
    tmp_path: Path, skills: list[str], capsys: Capture
) -> None:
    root = str(tmp_path / "bank")
    assert "2 skill(s) added, 2 active" in said(capsys, "add", root, *skills)
    with open_bank(tmp_path / "bank") as folder:
        folder.bank.observe("word-count", Observation(uses=3, utility=0.25))
    assert "+0.250" in said(capsys, "list", root)
    rows = json.loads(said(capsys, "list", root, "--json"))
    assert [(row["name"], row["uses"]) for row in rows] == [("line-count", 0), ("word-count", 3)]
    assert "1. Do the word-count." in said(capsys, "show", root, "word-count")
    said(capsys, "show", root, "nothing", code=1)


def test_the_log_names_snapshots_that_rollback_takes(
    tmp_path: Path, skills: list[str], capsys: Capture
) -> None:
    root = str(tmp_path / "bank")
    said(capsys, "add", root, skills[0], "--why", "a seed")
    snapshot = json.loads(said(capsys, "log", root, "--json"))[-1]["id"]
    said(capsys, "add", root, skills[1])
    assert "1 active: word-count" in said(capsys, "rollback", root, snapshot[:12], "--why", "worse")
    told = said(capsys, "log", root)
    assert "ungated: a seed" in told
    assert "rolled back" in told
    said(capsys, "rollback", root, "zzzz", code=1)


def test_a_fork_goes_its_own_way(tmp_path: Path, skills: list[str], capsys: Capture) -> None:
    root, out = str(tmp_path / "bank"), str(tmp_path / "fork")
    said(capsys, "add", root, skills[0])
    said(capsys, "fork", root, out)
    said(capsys, "add", out, skills[1])
    assert read_bank(tmp_path / "bank")[0].names == ("word-count",)
    assert read_bank(tmp_path / "fork")[0].names == ("line-count", "word-count")
    said(capsys, "fork", root, out, code=1)


def test_folders_are_added_all_or_none(tmp_path: Path, skills: list[str], capsys: Capture) -> None:
    root = str(tmp_path / "bank")
    said(capsys, "add", root, skills[0])
    said(capsys, "add", root, skills[1], skills[0], code=1)
    assert read_bank(tmp_path / "bank")[0].names == ("word-count",)


def test_what_is_no_bank_is_named(tmp_path: Path, capsys: Capture) -> None:
    assert main(["bank", "list", str(tmp_path)]) == 1
    assert "is no bank" in capsys.readouterr().err
