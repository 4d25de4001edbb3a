"""A folder that appears whole under its name, or not at all."""

import os
from pathlib import Path

import pytest
from skillweave.adapters.errors import Conflict, StoreError
from skillweave.adapters.file_ops import DiskOps
from skillweave.adapters.new_folder import new_folder


def test_it_appears_whole_and_alone(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with new_folder(out) as partial:
        partial.mkdir()
        (partial / "file").write_text("x")
        assert not out.exists()
    assert [p.name for p in out.parent.iterdir()] == ["out"]
    assert (out / "file").read_text() == "x"


def fill(out: Path, *, error: BaseException | None = None, meanwhile: Path | None = None) -> None:
    """Make a folder with one file; fail, or let somebody else take a name, before it is whole."""
    with new_folder(out) as partial:
        partial.mkdir()
        (partial / "file").write_text("x")
        if meanwhile is not None:
            meanwhile.mkdir()
        if error is not None:
            raise error


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_what_fails_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        fill(tmp_path / "out", error=error)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_is_told_with_the_name(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"out failed.*No space left"):
        fill(tmp_path / "out", error=OSError(28, "No space left on device"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "file", "link to nowhere"])
def test_what_is_there_is_never_overwritten(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    if kind == "folder":
        out.mkdir()
    elif kind == "file":
        out.touch()
    else:
        out.symlink_to(tmp_path / "nowhere")
    with pytest.raises(Conflict, match="never overwrites"), new_folder(out):
        pass
    assert os.path.lexists(out)


def test_what_came_in_between_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="never overwrites"):
        fill(tmp_path / "out", meanwhile=tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_place_where_no_folder_can_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (Path("/proc/skillweave"), tmp_path / "file" / "out", tmp_path / ("x" * 300)):
        with pytest.raises(StoreError, match="failed"):
            fill(place)


def test_the_name_is_durable_after(tmp_path: Path) -> None:
    done: list[str] = []

    class Noting(DiskOps):
        def rename(self, source: Path, target: Path) -> None:
            done.append("rename")
            super().rename(source, target)

        def sync_folder(self, path: Path) -> None:
            done.append(f"sync {path.name if path != tmp_path else 'parent'}")
            super().sync_folder(path)

    with new_folder(tmp_path / "out", ops=Noting()) as partial:
        partial.mkdir()
    assert done[-2:] == ["rename", "sync parent"]
    assert done[0].startswith("sync .partial-")
