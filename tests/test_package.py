"""What an install gives: every room below `skillweave.`, every data file, no bare `adapters`."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOMS = ("adapters", "router", "distill", "server", "scripts")
PRINT_ORIGINS = f"""
import importlib.util as util
from importlib import import_module
for room in {ROOMS}:
    print(room, import_module("skillweave." + room).__file__, util.find_spec(room))
"""


def packages(root: Path) -> set[str]:
    """The packages that the tree holds: folders with an `__init__.py`."""
    inits = [path for room in ROOMS for path in (root / room).rglob("__init__.py")]
    return {".".join(("skillweave", *path.parent.relative_to(root).parts)) for path in inits}


def data_files(root: Path) -> set[str]:
    """Files of the rooms that git keeps or would keep, without code."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *ROOMS]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return {f for f in listed.splitlines() if not f.endswith(".py") and (root / f).is_file()}


def test_pyproject_names_every_package_and_room(repository: Path) -> None:
    tool = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]
    assert set(tool["setuptools"]["packages"]) == packages(repository)
    assert tool["setuptools"]["package-dir"] == {f"skillweave.{room}": room for room in ROOMS}
    assert set(tool["mypy"]["packages"]) == {f"skillweave.{room}" for room in ROOMS}
    assert all((repository / room / "py.typed").is_file() for room in ROOMS)


def test_an_editable_install_gives_the_package_and_no_bare_room(
    repository: Path, tmp_path: Path
) -> None:
    assert_origins(repository, tmp_path, path="")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy, so that the working tree keeps no build output."""
    root = Path(__file__).resolve().parent.parent
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((root / name).read_bytes())
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([sys.executable, "-m", "pip", *build, "-w", out, copy], check=True)
    (found,) = out.glob("*.whl")
    return found


@pytest.mark.slow
def test_a_wheel_holds_every_file_of_the_rooms(repository: Path, wheel: Path) -> None:
    held = {name.removeprefix("skillweave/") for name in zipfile.ZipFile(wheel).namelist()}
    assert sorted(data_files(repository) - held) == []


@pytest.mark.slow
def test_an_installed_wheel_gives_the_package_and_no_bare_room(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--target", target, wheel]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    assert_origins(target / "skillweave", tmp_path, path=str(target))


def assert_origins(parent: Path, folder: Path, *, path: str) -> None:
    """In a fresh interpreter in an empty folder, `skillweave.ROOM` comes from parent/ROOM."""
    empty = folder / "empty"
    empty.mkdir()
    command = [sys.executable, "-c", PRINT_ORIGINS]
    env = {"PYTHONPATH": path, "PATH": "/usr/bin:/bin"}
    printed = subprocess.run(
        command, cwd=empty, env=env, capture_output=True, text=True, check=True
    ).stdout
    expected = [f"{room} {parent / room / '__init__.py'} None" for room in ROOMS]
    assert printed.splitlines() == expected
