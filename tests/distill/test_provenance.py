"""Where a result comes from."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from skillweave.distill.provenance import PACKAGES, code_revision, package_versions, revision_at


def test_the_revision_is_that_of_this_tree(repository: Path) -> None:
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout
    found = code_revision()
    assert re.fullmatch(r"[0-9a-f]{12,}\+?", found)
    assert head.startswith(found.rstrip("+"))


def test_versions_are_of_what_is_installed() -> None:
    found = package_versions()
    assert {"torch", "transformers", "peft"} <= set(found) <= set(PACKAGES)
    assert all(found.values())


@pytest.mark.parametrize(
    ("project", "ours"),
    [
        (None, False),
        ("not toml [", False),
        ('[tool]\nname = "skillweave"', False),
        ('project = "skillweave"', False),
        ('[project]\nname = "theirs"', False),
        ('[project]\nname = "skillweave"', True),
    ],
)
def test_a_tree_that_only_holds_an_installed_copy_gives_no_revision(
    tmp_path: Path, project: str | None, ours: bool
) -> None:
    inside = tmp_path / "venv" / "skillweave"
    inside.mkdir(parents=True)
    if project is not None:
        (tmp_path / "pyproject.toml").write_text(project)
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], [*who, "commit", "-q", "--allow-empty", "-m", "theirs"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    assert (revision_at(inside) is not None) == ours


def test_without_git_or_in_time_there_is_no_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert revision_at(tmp_path) is None
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert revision_at(tmp_path, timeout_s=0.2) is None
