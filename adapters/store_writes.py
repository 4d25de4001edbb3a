"""How the store changes files: temporary sibling, fsync, link or rename, fsync of the folder.

Owns locks, atomic publication and the translation of the disk's errors. Every change is either
complete or invisible, at any moment a process may die. Refuses to own what is written.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import SkillweaveError, StoreError
from .file_ops import FileOps
from .store_layout import temporary_beside


@contextmanager
def storing(what: str) -> Iterator[None]:
    """Turn the disk's errors into ours.

    Raises:
        StoreError: the disk is full, read-only, or otherwise unwilling.
    """
    try:
        yield
    except SkillweaveError:
        raise
    except OSError as err:
        raise StoreError(
            f"{what}: {err}; nothing unfinished is listed. Check free space and permissions, then "
            "repeat it (gc removes what was left over)"
        ) from err


@contextmanager
def locked(path: Path, *, exclusive: bool) -> Iterator[None]:
    """Hold an advisory lock; the kernel drops it when the process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def make_folder(ops: FileOps, path: Path) -> None:
    """Make a folder whose own name is durable."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    ops.make_folder(path)
    for folder in reversed(missing):
        ops.sync_folder(folder.parent)


def publish_file(ops: FileOps, path: Path, chunks: Iterable[bytes]) -> bool:
    """Write a file that must not exist yet; False where the name is taken (nothing changes)."""
    make_folder(ops, path.parent)
    temporary = temporary_beside(path)
    with discarding(ops, temporary):
        ops.write(temporary, chunks)
        try:
            ops.link(temporary, path)
        except FileExistsError:
            return False
        ops.sync_folder(path.parent)
    return True


def publish_numbered(ops: FileOps, folder: Path, first: int, data: bytes) -> int:
    """Write `<n>.json` with the first free n >= `first`; two writers never get one number."""
    number = first
    while not publish_file(ops, folder / f"{number}.json", [data]):
        number += 1
    return number


def replace_file(ops: FileOps, path: Path, data: bytes) -> None:
    """Replace a file in one step; readers see the old bytes or the new ones."""
    make_folder(ops, path.parent)
    temporary = temporary_beside(path)
    with discarding(ops, temporary):
        ops.write(temporary, [data])
        ops.rename(temporary, path)
        ops.sync_folder(path.parent)


def publish_folder(ops: FileOps, staged: Path, path: Path) -> bool:
    """Move a finished folder to its name; False where that exists (the staged one stays)."""
    if path.exists():
        return False
    try:
        ops.rename(staged, path)
    except OSError:
        if path.exists():  # another writer of the same content was faster
            return False
        raise
    ops.sync_folder(path.parent)
    return True


@contextmanager
def staged_folder(ops: FileOps, path: Path) -> Iterator[Path]:
    """A fresh name beside `path`; whatever lies there at the end is removed."""
    make_folder(ops, path.parent)
    temporary = temporary_beside(path)
    try:
        yield temporary
    finally:
        if temporary.exists():
            with contextlib.suppress(OSError):
                ops.remove_tree(temporary)


@contextmanager
def discarding(ops: FileOps, temporary: Path) -> Iterator[None]:
    """Remove a temporary file at the end, if it is still there."""
    try:
        yield
    finally:
        if temporary.exists():
            with contextlib.suppress(OSError):
                ops.unlink(temporary)
