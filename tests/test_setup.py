"""What `make` would do, read from a dry run, and facts that stand in more than one place."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from skillweave.scripts.check_platform import NEED_PYTHON
from skillweave.scripts.make_locks import PYTHONS


def dry_run(root: Path, *arguments: str) -> list[str]:
    """The commands that make would run."""
    command = ["make", "--dry-run", "--always-make", *arguments]
    printed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return [line for line in printed.splitlines() if not line.startswith(("touch", "make"))]


def in_order(lines: list[str], parts: list[str]) -> bool:
    """Whether the parts occur in different lines in this order."""
    rest = iter(lines)
    return all(any(part in line for line in rest) for part in parts)


def test_setup_looks_at_the_machine_first_and_never_resolves_the_locks(repository: Path) -> None:
    steps = [
        "scripts/check_platform.py",
        "-m venv",
        "install torch==",
        "install --no-deps -r requirements/cpu.lock -e .",
        "check_install",
        "install --no-deps -r requirements/test.lock",
    ]
    assert in_order(dry_run(repository, "setup", "VENV=build/no-such-environment"), steps)


def test_the_demo_needs_no_test_tools(repository: Path) -> None:
    lines = dry_run(repository, "demo", "VENV=build/no-such-environment")
    assert "skillweave.scripts.cli demo" in lines[-1]
    assert not any("test.lock" in line for line in lines)


def test_the_tiers_contain_each_other(repository: Path) -> None:
    check = dry_run(repository, "check", "NO_SETUP=1")
    test = dry_run(repository, "test", "NO_SETUP=1")
    fast = '"not slow and not vllm and not gpu"'
    slow, engine = '"slow and not vllm and not gpu"', '"vllm and not gpu"'
    assert in_order(
        check, ["ruff check", "ruff format --check", "make_locks --check", "mypy", fast]
    )
    assert not any(f" {tier}" in line for line in check for tier in (slow, engine))
    assert test[: len(check)] == check
    assert in_order(test[len(check) :], [slow, engine])


@pytest.mark.parametrize("target", ["check", "test", "demo", "exam NAME=x"])
def test_an_environment_of_ones_own_is_never_installed_into(repository: Path, target: str) -> None:
    lines = dry_run(repository, *target.split(), "NO_SETUP=1", "PY=/a/python")
    assert not any("pip" in line.split() or "venv" in line for line in lines)
    assert any(line.startswith("/a/python ") for line in lines)


def test_continuous_integration_can_run_it(repository: Path) -> None:
    assert os.access(repository / ".ci/run", os.X_OK)


def test_one_range_of_pythons(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    (low, below), spec = NEED_PYTHON, SpecifierSet(project["requires-python"])
    assert spec == SpecifierSet(f">={low[0]}.{low[1]},<{below[0]}.{below[1]}")
    assert tuple(f"3.{minor}" for minor in range(low[1], below[1])) == PYTHONS


def test_one_version_of_torch(repository: Path) -> None:
    (pinned,) = re.findall(r"^TORCH := torch==(\S+)$", (repository / "Makefile").read_text(), re.M)
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    (wanted,) = [r for r in map(Requirement, project["dependencies"]) if r.name == "torch"]
    assert wanted.specifier.contains(pinned)
    assert f"pip install torch=={pinned}" in (repository / "README.md").read_text()
