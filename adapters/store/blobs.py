"""Weight files, each stored once: `blobs/<sha256>`, hard-linked into every object that has it.

Two versions often differ in card, config or skill and not in weights. Owns the sharing and its
proof. A blob is no truth of its own: an object whose file is no link (a file system's link limit,
a copied store) is as sound as any. Refuses to own objects (`objects.py`).
"""

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import Problem
from ..file_ops import FileOps
from ..peft_folder.header import WEIGHTS_FILE
from .layout import Layout, children
from .writes import make_folder

_NO_MORE_LINKS = (errno.EMLINK, errno.EPERM, errno.EXDEV)


def share(layout: Layout, ops: FileOps, folder: Path, sha256: str) -> None:
    """Let the weights of a folder that nobody sees yet be the blob, or become it.

    Args:
        folder: holds the weights file, synced.
        sha256: of its bytes.
    """
    weights, blob = folder / WEIGHTS_FILE, layout.blob(sha256)
    make_folder(ops, blob.parent, below=layout.root)
    try:
        try:
            ops.link(weights, blob)
            ops.sync_folder(blob.parent)
            return
        except FileExistsError:
            if weights.samefile(blob) or sha256_of(blob) != sha256:
                return  # a damaged blob is not spread; fsck names it
        shared = weights.with_name(f"{WEIGHTS_FILE}.shared")
        ops.link(blob, shared)
    except OSError as err:
        if err.errno not in _NO_MORE_LINKS:
            raise
        return  # it keeps its own copy
    ops.rename(shared, weights)
    ops.sync_folder(folder)


def share_old(layout: Layout, ops: FileOps, weights: Path) -> None:
    """Let the weights of an object that is in use become a blob; the object stays as it is."""
    blob = layout.blob(sha256_of(weights))
    make_folder(ops, blob.parent, below=layout.root)
    try:
        ops.link(weights, blob)
    except OSError as err:
        if err.errno not in (*_NO_MORE_LINKS, errno.EEXIST):
            raise
    ops.sync_folder(blob.parent)


def unused(layout: Layout) -> list[Path]:
    """Blobs that no object links to."""
    paths = [layout.blob(name) for name in children(layout.root / "blobs")]
    return [path for path in paths if path.stat().st_nlink == 1]


def check(layout: Layout) -> Iterator[Problem]:
    """Blobs whose bytes do not have their name; one that objects link to is proved with them."""
    for name in children(layout.root / "blobs"):
        path = layout.blob(name)
        linked = path.is_file() and path.stat().st_nlink > 1
        if not linked and not (path.is_file() and sha256_of(path) == name):
            text = f"blob {name} does not have this digest"
            yield Problem("corrupt_blob", text, "run gc: no object links to it")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hex digits; no link is followed.

    Raises:
        OSError: it cannot be read.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
