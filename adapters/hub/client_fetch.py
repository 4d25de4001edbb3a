"""Fetch a file into the client's cache: bounded, checked, and going on where it was.

The client begins a file anew after a kill, takes in whatever a hub sends, and names what it keeps
as the hub says. Here a file is fetched in pieces into one of ours, up to the size that is listed,
held against the listed digest, and then given the name that the client looks for. Two pulls of one
file take turns: the lock is held until the file has its name, and whoever waited looks again first.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from ..errors import HubError
from ..limits import MiB
from .resume import Part, complete

RESUMED_BYTES = 4 * MiB
_PIECE_BYTES = 64 * 1024
_ATTEMPTS = 2
_SHA256_DIGITS = 64


def fetch_blob(
    blob: Path,
    *,
    size: int,
    part: Callable[[int], AbstractContextManager[Part]],
    broken: tuple[type[Exception], ...],
) -> None:
    """Make `blob` hold the content that its name states; nothing is done where it is there.

    Args:
        blob: named by SHA-256 (64 digits) or by git's id (40 digits).
        part, broken: as for `complete`.

    Raises:
        HubError: what comes has another digest, from its first byte on too.
    """
    blob.parent.mkdir(parents=True, exist_ok=True)
    partial = blob.with_name(f"{blob.name}.skillweave.incomplete")
    for _ in range(_ATTEMPTS):
        with _alone(partial) as handle:
            if blob.exists():  # the one that we waited for has fetched it
                partial.unlink()  # ours, made by looking
                return
            with os.fdopen(os.dup(handle), "ab") as writer:
                complete(writer, size=size, part=part, broken=broken)
            with partial.open("rb") as reader:
                found = hashlib.file_digest(reader, lambda: _hash(blob.name, size)).hexdigest()
            if found == blob.name:
                os.replace(partial, blob)
                return
            os.ftruncate(handle, 0)  # what an earlier attempt left may be what is wrong
    raise HubError(f"what comes has digest {found}, listed is {blob.name}; repeat")


def link_in(snapshot: Path, path: str, blob: Path) -> None:
    """Give a content its place in the client's snapshot; one that is there stays."""
    place = snapshot / path
    place.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        place.symlink_to(os.path.relpath(blob, place.parent))


def _hash(name: str, size: int) -> "hashlib._Hash":
    if len(name) == _SHA256_DIGITS:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)


@contextmanager
def _alone(partial: Path) -> Iterator[int]:
    """The unfinished file, locked; a fresh one where another process has just named its own."""
    while True:
        handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                same = os.path.samestat(os.fstat(handle), partial.stat())
            except FileNotFoundError:
                same = False
            if same:
                yield handle
                return
        finally:
            os.close(handle)


@contextmanager
def stream_from(url: str, headers: Mapping[str, str], start: int) -> Iterator[Part]:
    """The bytes of a file from `start` on, as far as the hub sends them."""
    from huggingface_hub import get_session
    from huggingface_hub.utils._http import hf_raise_for_status

    asked = {**headers, "Accept-Encoding": "identity", "Range": f"bytes={start}-"}
    with get_session().stream("GET", url, headers=asked, follow_redirects=True) as reply:
        hf_raise_for_status(reply)
        yield Part(reply.status_code != 206, reply.iter_bytes(_PIECE_BYTES))
