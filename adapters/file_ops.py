"""Every file operation with which the store changes the disk, behind one seam.

Owns durability: what `write`, `copy` and `link` leave behind has reached the disk. Refuses to own
what is written where (`store_*.py`). The seam exists so that a test can stop or fail the store at
any single operation; nothing in the store changes the disk any other way.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

_CHUNK_BYTES = 1 << 20


class FileOps(Protocol):
    """The operations; each raises OSError where the disk or its permissions say no."""

    def make_folder(self, path: Path) -> None:
        """Make a folder and its parents; none of them needs to be new."""

    def write(self, path: Path, chunks: Iterable[bytes]) -> None:
        """Write a new file and fsync it; FileExistsError where there is one."""

    def copy(self, source: Path, target: Path, *, executable: bool) -> None:
        """Copy one regular file into a new one, read-only, and fsync it; follows no link."""

    def link(self, source: Path, target: Path) -> None:
        """Give a file a second name; FileExistsError where that name is taken."""

    def rename(self, source: Path, target: Path) -> None:
        """Move a file over another, or a folder to a free name, in one step."""

    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder durable."""

    def unlink(self, path: Path) -> None:
        """Remove one file."""

    def remove_tree(self, path: Path) -> None:
        """Remove a folder and all below it."""


class DiskOps:
    """The operations on the real disk."""

    def make_folder(self, path: Path) -> None:
        """See `FileOps`."""
        path.mkdir(parents=True, exist_ok=True)

    def write(self, path: Path, chunks: Iterable[bytes]) -> None:
        """See `FileOps`."""
        with path.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())

    def copy(self, source: Path, target: Path, *, executable: bool) -> None:
        """See `FileOps`."""
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as reader, target.open("xb") as writer:
            while chunk := reader.read(_CHUNK_BYTES):
                writer.write(chunk)
            writer.flush()
            os.fchmod(writer.fileno(), 0o555 if executable else 0o444)
            os.fsync(writer.fileno())

    def link(self, source: Path, target: Path) -> None:
        """See `FileOps`."""
        os.link(source, target, follow_symlinks=False)

    def rename(self, source: Path, target: Path) -> None:
        """See `FileOps`."""
        os.rename(source, target)

    def sync_folder(self, path: Path) -> None:
        """See `FileOps`."""
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def unlink(self, path: Path) -> None:
        """See `FileOps`."""
        path.unlink()

    def remove_tree(self, path: Path) -> None:
        """See `FileOps`."""
        shutil.rmtree(path)
