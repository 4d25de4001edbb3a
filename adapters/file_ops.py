"""Every file operation with which the store changes the disk, behind one seam.

Owns durability: what `write` and `copy` leave behind has reached the disk; a name (new, moved or
gone) has reached it after `sync_folder`. Refuses to own what is written where (`store/`). The
seam exists so that a test can stop or fail the store at any single operation, or take its power
away. Two things change the disk beside it, and neither is truth: locks and the index.
"""

import hashlib
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

    def mark(self, path: Path) -> None:
        """Make an empty file that may vanish with the power; FileExistsError where there is one."""

    def copy(self, source: Path, target: Path, *, executable: bool) -> str:
        """Copy one regular file into a new one, read-only, and fsync it; follows no link.

        Returns:
            SHA-256 of the bytes that were written, 64 hex digits.
        """

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
    """The operations on the real disk.

    Args:
        durable: False leaves out every fsync. For a store that may be lost as a whole (a bench);
            what was acknowledged does not survive a power cut then.
    """

    def __init__(self, *, durable: bool = True) -> None:
        self._durable = durable

    def make_folder(self, path: Path) -> None:
        """See `FileOps`."""
        path.mkdir(parents=True, exist_ok=True)

    def write(self, path: Path, chunks: Iterable[bytes]) -> None:
        """See `FileOps`."""
        with path.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            self._sync(file.fileno())

    def mark(self, path: Path) -> None:
        """See `FileOps`."""
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))

    def copy(self, source: Path, target: Path, *, executable: bool) -> str:
        """See `FileOps`."""
        digest = hashlib.sha256()
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as reader, target.open("xb") as writer:
            while chunk := reader.read(_CHUNK_BYTES):
                digest.update(chunk)
                writer.write(chunk)
            writer.flush()
            os.fchmod(writer.fileno(), 0o555 if executable else 0o444)
            self._sync(writer.fileno())
        return digest.hexdigest()

    def link(self, source: Path, target: Path) -> None:
        """See `FileOps`."""
        os.link(source, target, follow_symlinks=False)

    def rename(self, source: Path, target: Path) -> None:
        """See `FileOps`."""
        os.rename(source, target)

    def sync_folder(self, path: Path) -> None:
        """See `FileOps`."""
        if not self._durable:
            return
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

    def _sync(self, handle: int) -> None:
        if self._durable:
            os.fsync(handle)


class Hashing:
    """The operations, with a note of what was copied: target -> SHA-256 of its bytes."""

    def __init__(self, ops: FileOps) -> None:
        self.sha256: dict[Path, str] = {}
        self._ops = ops
        self.make_folder, self.write, self.mark = ops.make_folder, ops.write, ops.mark
        self.link, self.rename, self.sync_folder = ops.link, ops.rename, ops.sync_folder
        self.unlink, self.remove_tree = ops.unlink, ops.remove_tree

    def copy(self, source: Path, target: Path, *, executable: bool) -> str:
        """See `FileOps`."""
        self.sha256[target] = self._ops.copy(source, target, executable=executable)
        return self.sha256[target]
