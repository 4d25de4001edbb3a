"""A disk that loses its power: what a store would find after, for every moment and every loss.

`PowerCutOps` does the store's file operations for real in one folder and keeps a book of what has
reached the disk: the bytes of a file when it is synced, the names in a folder when that is synced.
At a chosen step it stops (everything after raises `PowerCut`). Then `materialise` writes the disk
as it may look after: all that was not synced lost, all kept, or any part of it.

Steps are smaller than operations: a new file is its name, half of its bytes, all of them, and the
sync; a tree is removed name by name. What is lost is, by POSIX, any part of: bytes of files not
synced (the file is then cut short) and names made, moved or removed in folders not synced. A rename
within a folder is one name moved: it is lost or kept whole.
"""

import os
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...adapters.file_ops import DiskOps

Keep = Callable[[], bool]
"""Asked for every loss that is possible; True keeps it."""


class PowerCut(BaseException):
    """The machine is off; nothing of ours may catch this."""


@dataclass
class _File:
    """An inode: its bytes as processes see them, and as they are on the disk."""

    data: bytes = b""
    synced: bytes | None = None
    mode: int = 0o644


@dataclass
class _Folder:
    """A folder: names as processes see them, on the disk, and what happened in between."""

    names: dict[str, "_File | _Folder"] = field(default_factory=dict)
    synced: dict[str, "_File | _Folder"] = field(default_factory=dict)
    waiting: "list[Mapping[str, _File | _Folder | None]]" = field(default_factory=list)

    def change(self, moves: "Mapping[str, _File | _Folder | None]") -> None:
        """Names that change in one step; None takes one away."""
        self.waiting.append(moves)
        _apply(self.names, moves)

    def sync(self) -> None:
        """All names are on the disk."""
        self.synced, self.waiting = dict(self.names), []


class PowerCutOps:
    """File operations below a folder, with the power cut at step `at` (never, where it is 0).

    Args:
        top: exists; what lies in it now is on the disk.

    Setting `at` to 0 after a cut lets work go on over the same book: then it was a process that
    died, and not the machine.
    """

    def __init__(self, top: Path, *, at: int = 0) -> None:
        self.top, self.at, self.steps = top, at, 0
        self._disk = DiskOps(durable=False)
        self._root = _read(top)

    def _step(self) -> None:
        """One more step is about to take effect."""
        self.steps += 1
        if self.at and self.steps >= self.at:
            raise PowerCut

    def _folder(self, path: Path) -> _Folder:
        here = self._root
        for part in path.relative_to(self.top).parts:
            if part not in here.names:  # a lock's folder: made beside these operations
                here.change({part: _Folder()})
            child = here.names[part]
            assert isinstance(child, _Folder), path
            here = child
        return here

    def _inode(self, path: Path) -> _File:
        found = self._folder(path.parent).names[path.name]
        assert isinstance(found, _File), path
        return found

    def make_folder(self, path: Path) -> None:
        """See `FileOps`."""
        missing = [p for p in (path, *path.parents) if not p.exists()]
        for folder in reversed(missing):
            self._step()
            folder.mkdir(exist_ok=True)
            self._folder(folder.parent).change({folder.name: _Folder()})

    def write(self, path: Path, chunks: Iterable[bytes]) -> None:
        """See `FileOps`."""
        if path.exists():
            raise FileExistsError(path)
        self._make(path, b"".join(chunks), 0o644)

    def mark(self, path: Path) -> None:
        """See `FileOps`."""
        self._step()
        self._disk.mark(path)
        self._folder(path.parent).change({path.name: _File()})

    def copy(self, source: Path, target: Path, *, executable: bool) -> str:
        """See `FileOps`."""
        mode = 0o555 if executable else 0o444
        if target.exists():
            raise FileExistsError(target)
        self._make(target, source.read_bytes(), mode)
        target.unlink()
        return self._disk.copy(source, target, executable=executable)

    def _make(self, path: Path, data: bytes, mode: int) -> None:
        inode = _File(mode=mode)
        self._step()
        self._folder(path.parent).change({path.name: inode})
        path.touch()
        for part in (data[: len(data) // 2], data):
            self._step()
            inode.data = part
            path.write_bytes(part)
        self._step()
        inode.synced = inode.data

    def link(self, source: Path, target: Path) -> None:
        """See `FileOps`."""
        self._step()
        self._disk.link(source, target)
        self._folder(target.parent).change({target.name: self._inode(source)})

    def rename(self, source: Path, target: Path) -> None:
        """See `FileOps`."""
        assert source.parent == target.parent, "a move between folders can be lost by half"
        self._step()
        folder = self._folder(source.parent)
        self._disk.rename(source, target)
        folder.change({source.name: None, target.name: folder.names[source.name]})

    def sync_folder(self, path: Path) -> None:
        """See `FileOps`."""
        self._step()
        if path == self.top or self.top in path.parents:
            self._folder(path).sync()

    def unlink(self, path: Path) -> None:
        """See `FileOps`."""
        self._step()
        self._disk.unlink(path)
        self._folder(path.parent).change({path.name: None})

    def remove_tree(self, path: Path) -> None:
        """See `FileOps`."""
        for child in sorted(path.iterdir()):
            if child.is_dir() and not child.is_symlink():
                self.remove_tree(child)
            else:
                self.unlink(child)
        self._step()
        path.rmdir()
        self._folder(path.parent).change({path.name: None})

    def materialise(self, into: Path, keep: Keep) -> None:
        """Write the disk as it may look when the power is back; `into` must not exist."""
        _write(self._root, into, keep, {})


def nothing() -> bool:
    """The worst: whatever was not synced is lost."""
    return False


def everything() -> bool:
    """The best, and what a killed process leaves: nothing is lost."""
    return True


def some(seed: int) -> Keep:
    """Any part."""
    rng = random.Random(seed)
    return lambda: rng.random() < 0.5


def _apply(names: dict[str, _File | _Folder], moves: Mapping[str, _File | _Folder | None]) -> None:
    for name, inode in moves.items():
        if inode is None:
            names.pop(name, None)
        else:
            names[name] = inode


def _read(top: Path, seen: dict[int, _File] | None = None) -> _Folder:
    """What lies in a folder, all of it on the disk; locks and the index are no truth."""
    seen = {} if seen is None else seen
    found = _Folder()
    for path in sorted(top.iterdir()):
        if path.is_symlink() or path.name in ("lock", "locks", "index"):
            continue
        if path.is_dir():
            found.names[path.name] = _read(path, seen)
        else:
            data, state = path.read_bytes(), path.stat()
            inode = _File(data, data, state.st_mode & 0o777)
            found.names[path.name] = seen.setdefault(state.st_ino, inode)
    found.sync()
    return found


def _write(folder: _Folder, into: Path, keep: Keep, made: dict[int, Path]) -> None:
    names = dict(folder.synced)
    for moves in folder.waiting:
        if keep():
            _apply(names, moves)
    into.mkdir()
    for name, inode in names.items():
        path = into / name
        if isinstance(inode, _Folder):
            _write(inode, path, keep, made)
        elif id(inode) in made:
            os.link(made[id(inode)], path)
        else:
            path.write_bytes(_survived(inode, keep))
            path.chmod(inode.mode)
            made[id(inode)] = path


def _survived(inode: _File, keep: Keep) -> bytes:
    """The bytes of a file that are left: all, or those that were synced, or none."""
    if inode.synced == inode.data or keep():
        return inode.data
    return inode.synced or b""
