"""SHA-256 of large files, computed once per state of a file.

Owns a cache that anyone may delete. A file counts as unchanged while path, inode, size and both
times stay the same. A file inside a hub cache is a link to a blob that is named by its SHA-256:
nothing is computed then.
"""

import contextlib
import hashlib
import json
import os
import re
import secrets
from pathlib import Path

_BLOB = re.compile(r"[0-9a-f]{64}")


def file_sha256(path: Path, cache_dir: Path) -> str:
    """SHA-256 of the file's bytes, 64 hex digits; from the blob's name or the cache if possible.

    Raises:
        OSError: the file cannot be read. (A cache that cannot be written costs time only.)
    """
    real = path.resolve(strict=True)
    if real.parent.name == "blobs" and _BLOB.fullmatch(real.name):
        return real.name
    state = _state(real)
    entry = cache_dir / f"{hashlib.sha256(os.fsencode(real)).hexdigest()}.json"
    known = _read(entry)
    if known is not None and known.get("state") == state:
        return str(known["sha256"])
    with real.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if _state(real) == state:
        with contextlib.suppress(OSError):
            replace_file(entry, json.dumps({"state": state, "sha256": digest}).encode())
    return digest


def _state(real: Path) -> list[int]:
    stat = real.stat()
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def _read(entry: Path) -> dict[str, object] | None:
    try:
        value = json.loads(entry.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    ok = isinstance(value, dict) and _BLOB.fullmatch(str(value.get("sha256")))
    return value if ok else None


def replace_file(path: Path, data: bytes) -> None:
    """Write a file of a cache in one step, so that nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.write_bytes(data)
    os.replace(temporary, path)
