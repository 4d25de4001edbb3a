from pathlib import Path

import pytest
from skillweave.scripts import make_locks
from skillweave.scripts.make_locks import Layer, for_linux, requirement_lines, stale

CPU, TEST = Layer("cpu", extra=""), Layer("test", extra="test", above=("cpu",))
PROJECT = """
[project]
dependencies = ["torch>=2", "alpha>=1"]
[project.optional-dependencies]
test = ["beta==2.*"]
"""


def tree(root: Path, *, cpu: str, test: str = "beta==2.1\n") -> Path:
    (root / "requirements").mkdir()
    (root / "pyproject.toml").write_text(PROJECT)
    for name, text in {
        "cpu.in": "gamma\n",
        "test.in": "",
        "cpu.lock": cpu,
        "test.lock": test,
    }.items():
        (root / "requirements" / name).write_text(text)
    return root


def test_the_committed_locks_fit_their_inputs(repository: Path) -> None:
    assert [finding for layer in make_locks.LAYERS for finding in stale(layer, repository)] == []


def test_a_lock_that_fits_is_not_stale(tmp_path: Path) -> None:
    root = tree(tmp_path, cpu="# made\nalpha==1.5\ngamma==3\n")
    assert [*stale(CPU, root), *stale(TEST, root)] == []


@pytest.mark.parametrize(
    ("cpu", "test", "finding"),
    [
        ("gamma==3", "beta==2.1", "cpu.lock lacks alpha, wanted by an input"),
        ("alpha==1", "beta==2.1", "cpu.lock lacks gamma, wanted by an input"),
        ("alpha==0.9\ngamma==3", "beta==2.1", "has alpha 0.9, but an input wants >=1"),
        ("alpha==1\ngamma==3\ntorch==2.13.0", "beta==2.1", "torch, which is left out on purpose"),
        ("alpha==1\ngamma==3\ntriton==3", "beta==2.1", "triton, which is left out on purpose"),
        ("alpha==1\ngamma==3", "beta==3", "test.lock has beta 3, but an input wants ==2.*"),
        ("alpha==1\ngamma==3", "beta==2.1\nalpha==1", "test.lock repeats alpha"),
    ],
)
def test_a_stale_lock_is_found(tmp_path: Path, cpu: str, test: str, finding: str) -> None:
    root = tree(tmp_path, cpu=cpu, test=test)
    found = [*stale(CPU, root), *stale(TEST, root)]
    assert any(finding in each for each in found), found


def test_the_demands_of_a_locked_package_count(tmp_path: Path) -> None:
    """pytest is installed at this very version, and asks for pluggy."""
    version = make_locks._version("pytest")
    root = tree(tmp_path, cpu=f"alpha==1\ngamma==3\npytest=={version}\n")
    (root / "requirements/cpu.in").write_text("gamma\npytest\n")
    assert "cpu.lock lacks pluggy, wanted by pytest" in list(stale(CPU, root))


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("alpha==1", "alpha==1"),
        ("alpha==1 ; platform_machine == 'x86_64'", "alpha==1"),
        ("alpha==1 ; sys_platform == 'win32'", None),
        ("alpha==1 ; sys_platform == 'never'", None),
        ("six==1 ; python_full_version >= '3.12'", "six==1 ; python_full_version >= '3.12'"),
    ],
)
def test_a_universal_line_is_reduced_to_linux(line: str, kept: str | None) -> None:
    assert for_linux(line) == kept


def test_comments_and_blank_lines_are_no_requirements() -> None:
    assert requirement_lines("# a\n\nalpha==1  # why\n  beta\n") == ["alpha==1", "beta"]
