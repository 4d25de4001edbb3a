"""The identity of a base, computed once per state of its files.

Module shapes come from the headers of every weights file, digests from every byte; the second time
the identity is read from a cache that anyone may delete. It counts while every file of the folder
keeps name, inode, size and both times; an entry that is damaged, or written by another version of
this file, is computed again. Owns that cache. Refuses to own hashing (`file_hashes.py`).
"""

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path

from ..digests import canonical_json, sha256_hex
from .file_hashes import replace_file

_FORMAT = "skillweave.base/1"
_SETTLED_S = 0.05
"""A file this young may change again without its times moving: nothing is remembered of it."""


def base_state(path: Path) -> list[list[object]]:
    """What stands for the folder's content: its files with inode, size and times, by name.

    Raises:
        OSError: the folder cannot be read.
    """
    found = []
    with os.scandir(path) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # a dangling link
                seen = entry.stat()
                times = [seen.st_mtime_ns, seen.st_ctime_ns]
                found.append([entry.name, seen.st_ino, seen.st_size, *times])
    return sorted(found, key=lambda one: str(one[0]))


def recall(path: Path, state: list[list[object]], cache_dir: Path) -> bytes | None:
    """The JSON of the identity that was remembered for this state; None where there is none."""
    try:
        head, _, body = _entry(path, cache_dir).read_bytes().partition(b"\n")
        known = json.loads(head)
    except (OSError, ValueError, RecursionError):
        return None
    wanted = {"format": _FORMAT, "state": state, "sha256": sha256_hex(body)}
    return body if known == wanted else None


def remember(path: Path, state: list[list[object]], identity: bytes, cache_dir: Path) -> None:
    """Keep an identity; a cache that cannot be written costs time only."""
    youngest_ns = max((t for one in state for t in one[3:] if isinstance(t, int)), default=0)
    if time.time() - youngest_ns * 1e-9 < _SETTLED_S:
        return
    head = canonical_json({"format": _FORMAT, "state": state, "sha256": sha256_hex(identity)})
    with contextlib.suppress(OSError):
        replace_file(_entry(path, cache_dir), head + b"\n" + identity)


def _entry(path: Path, cache_dir: Path) -> Path:
    return cache_dir / f"base-{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()}.json"
