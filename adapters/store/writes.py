"""How the store changes files: temporary sibling, fsync, link or rename, fsync of the folder.

Owns locks, atomic publication and the translation of the disk's errors. Every change is either
complete or invisible, at any moment a process may die. Refuses to own what is written.

A name that exists may have been made by a process that died before it was durable. Whoever relies
on such a name (the same artifact again, the alias where it should be) syncs its folder first.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import SkillweaveError, StoreError
from ..file_ops import FileOps
from .layout import Layout, temporary_beside


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
def locked(path: Path, *, exclusive: bool, wait: bool = True) -> Iterator[bool]:
    """Hold an advisory lock; the kernel drops it when the process dies.

    Yields:
        Whether it is held: always with `wait`, else only where nobody was in the way.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
            fcntl.flock(handle, kind if wait else kind | fcntl.LOCK_NB)
            held = True
        except BlockingIOError:
            held = False
        yield held
    finally:
        os.close(handle)


def make_root(ops: FileOps, root: Path) -> None:
    """Make the store's own folder, durably."""
    below = next(folder for folder in root.parents if folder.is_dir())
    make_folder(ops, root, below=below)


def make_folder(ops: FileOps, path: Path, *, below: Path) -> None:
    """Make a folder whose own name is durable, and every name on the way to it.

    The way is synced each time, from `below` (whose name is durable) down; a clean folder costs
    some 40 us.
    """
    ops.make_folder(path)
    way = [folder for folder in path.parents if folder == below or below in folder.parents]
    for folder in reversed(way):
        ops.sync_folder(folder)


def publish_file(layout: Layout, ops: FileOps, path: Path, chunks: Iterable[bytes]) -> bool:
    """Write a file that must not exist yet; False where the name is taken (nothing changes).

    Either way the name is durable after.
    """
    make_folder(ops, path.parent, below=layout.root)
    temporary = temporary_beside(path)
    with discarding(ops, temporary):
        ops.write(temporary, chunks)
        try:
            ops.link(temporary, path)
        except FileExistsError:
            return False
        finally:
            ops.sync_folder(path.parent)
    return True


def publish_numbered(layout: Layout, ops: FileOps, folder: Path, first: int, data: bytes) -> int:
    """Write `<n>.json` with the first free n >= `first`; two writers never get one number."""
    number = first
    while not publish_file(layout, ops, folder / f"{number}.json", [data]):
        number += 1
    return number


def replace_file(layout: Layout, ops: FileOps, path: Path, data: bytes) -> None:
    """Replace a file in one step; readers see the old bytes or the new ones."""
    make_folder(ops, path.parent, below=layout.root)
    temporary = temporary_beside(path)
    with discarding(ops, temporary):
        ops.write(temporary, [data])
        ops.rename(temporary, path)
        ops.sync_folder(path.parent)


def publish_folder(ops: FileOps, staged: Path, path: Path) -> bool:
    """Move a finished folder to its name; False where that exists (the staged one stays).

    Either way the name is durable after.
    """
    if not path.exists():
        try:
            ops.rename(staged, path)
        except OSError:
            if not path.exists():  # else another writer of the same content was faster
                raise
        else:
            ops.sync_folder(path.parent)
            return True
    ops.sync_folder(path.parent)
    return False


@contextmanager
def staged_folder(layout: Layout, ops: FileOps, path: Path) -> Iterator[Path]:
    """A fresh name beside `path`; whatever lies there at the end is removed."""
    make_folder(ops, path.parent, below=layout.root)
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
