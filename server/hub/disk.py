"""How the hub changes the disk: with the store's own primitives, below the hub's root.

Every change is whole or invisible, at whatever moment the process dies; locks are dropped by the
kernel with the process. Owns nothing but the choice of root and of the real disk. Refuses to own
what is written, and the primitives (`adapters/file_ops.py`, `adapters/store/writes.py`).
"""

import os
from contextlib import AbstractContextManager
from pathlib import Path

from ...adapters.file_ops import DiskOps
from ...adapters.store import writes
from ...adapters.store.layout import TEMPORARY, Layout, temporary_beside

OPS = DiskOps()


def children(folder: Path) -> list[str]:
    """Names in a folder, sorted, without unfinished work; none where there is no folder."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in names if not name.startswith("."))


def locked(path: Path) -> AbstractContextManager[bool]:
    """Hold an advisory lock alone."""
    return writes.locked(path, exclusive=True)


def make_folder(root: Path, path: Path) -> None:
    """Make a folder whose own name, and those up to the root, are durable."""
    writes.make_folder(OPS, path, below=root)


def publish_file(root: Path, path: Path, data: bytes) -> None:
    """Write a file that nobody changes afterwards; where it exists already it stays."""
    writes.publish_file(Layout(root), OPS, path, [data])


def replace_file(root: Path, path: Path, data: bytes) -> None:
    """Replace a file in one step; readers see the old bytes or the new ones."""
    writes.replace_file(Layout(root), OPS, path, data)


__all__ = [
    "OPS",
    "TEMPORARY",
    "children",
    "locked",
    "make_folder",
    "publish_file",
    "replace_file",
    "temporary_beside",
]
