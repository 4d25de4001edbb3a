"""The contents of one repository, by SHA-256. Nothing is ever overwritten.

Owns streaming to disk with hashing on the way, and the order: bytes and fsync in a temporary file,
then its name, then the folder. Contents are kept per repository: knowing the digest of a file of
somebody else's gives nobody the file. Refuses to own names of files (`documents.py`).
"""

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from .disk import OPS, make_folder, temporary_beside
from .documents import TreeFile, git_oid, pointer_of
from .errors import Refusal
from .layout import RepoFolder
from .usage import Usage

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Received:
    """A content that is on disk under a temporary name."""

    path: Path
    sha256: str
    size: int


class Incoming:
    """One content on its way in; leaves nothing behind unless it is kept.

    Args:
        folder: where it waits; must exist, on the disk of the blobs.
        limit: bytes that may come.
        usage: what is charged.
    """

    def __init__(self, folder: Path, *, limit: int, usage: Usage) -> None:
        self._path = temporary_beside(folder / "new")
        self._file = self._path.open("xb")
        self._hash = hashlib.sha256()
        self._limit = limit
        self._usage = usage
        self.size = 0

    def feed(self, chunk: bytes) -> None:
        """Write some bytes.

        Raises:
            Refusal: 413, more than the limit; 507, the hub is full.
        """
        self.size += len(chunk)
        if self.size > self._limit:
            raise Refusal(413, f"the file is larger than {self._limit} bytes")
        self._usage.charge(len(chunk))
        self._file.write(chunk)
        self._hash.update(chunk)

    def finish(self) -> Received:
        """Bring everything to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Received(self._path, self._hash.hexdigest(), self.size)

    def discard(self) -> None:
        """Remove the temporary file, where it is still there; idempotent."""
        self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        err: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()


class Blobs:
    """The contents of one repository."""

    def __init__(self, folder: RepoFolder, usage: Usage) -> None:
        self.folder = folder.blobs
        self._root = folder.root
        self._waiting = folder.incoming
        self._usage = usage

    def path(self, sha256: str) -> Path:
        """Where a content lies."""
        return self.folder / sha256

    def size(self, sha256: str) -> int | None:
        """Its bytes, or None where it is not here."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def touch(self, sha256: str) -> None:
        """Say that a content is wanted again; `Repo.sweep` leaves it alone for a day."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self.path(sha256))

    def incoming(self, limit: int) -> Incoming:
        """Begin to take one in."""
        make_folder(self._root, self._waiting)
        return Incoming(self._waiting, limit=limit, usage=self._usage)

    def keep(self, received: Received) -> None:
        """Give a received content its name; the same content twice is kept once.

        The caller holds the repository's lock: what is deleted or moved meanwhile does not come
        back as a folder of contents.
        """
        make_folder(self._root, self.folder)
        try:
            OPS.link(received.path, self.path(received.sha256))
        except FileExistsError:
            self.touch(received.sha256)
        OPS.sync_folder(self.folder)


def regular(received: Received) -> TreeFile:
    """The tree's entry for a content that came inside a commit."""
    digest = hashlib.sha1(b"blob %d\0" % received.size, usedforsecurity=False)
    with received.path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    oid = digest.hexdigest()
    return TreeFile(sha256=received.sha256, size=received.size, oid=oid, lfs=False)


def large(sha256: str, size: int) -> TreeFile:
    """The tree's entry for a content that was uploaded by itself."""
    return TreeFile(sha256=sha256, size=size, oid=git_oid(pointer_of(sha256, size)), lfs=True)
