"""How the hub changes the disk: a temporary sibling, fsync, link or rename, fsync of the folder.

Every change is whole or invisible, at whatever moment the process dies. Owns locks as well; the
kernel drops them with the process. Refuses to own what is written.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY = ".tmp-"


def temporary_beside(path: Path) -> Path:
    """A fresh name for unfinished work, in the folder where `path` will be."""
    return path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")


def children(folder: Path) -> list[str]:
    """Names in a folder, sorted, without unfinished work; none where there is no folder."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in names if not name.startswith("."))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an advisory lock alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Make a folder whose own name, and those above it, are durable."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in reversed(missing):
        sync_folder(folder.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish_file(path: Path, data: bytes) -> None:
    """Write a file that nobody changes afterwards; where it exists already it stays."""
    with _written_beside(path, data) as temporary, contextlib.suppress(FileExistsError):
        os.link(temporary, path)
    sync_folder(path.parent)


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file in one step; readers see the old bytes or the new ones."""
    with _written_beside(path, data) as temporary:
        os.rename(temporary, path)
    sync_folder(path.parent)


@contextmanager
def _written_beside(path: Path, data: bytes) -> Iterator[Path]:
    make_folder(path.parent)
    temporary = temporary_beside(path)
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
