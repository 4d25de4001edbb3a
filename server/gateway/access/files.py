"""Files that only their owner may read: made so from the first byte, replaced in one step.

Owns permissions and the order of write, fsync and rename. Refuses to own what is written.
"""

import contextlib
import os
from pathlib import Path

from ....adapters.store.layout import temporary_beside


def make_private_folder(folder: Path) -> None:
    """Make a folder for its owner alone; one that exists is left as it is."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def replace_private(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace a file in one step; readers see the old bytes or the new ones.

    Args:
        durable: wait until the disk has it.
    """
    part = temporary_beside(path)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as sink:
            sink.write(data)
            sink.flush()
            if durable:
                os.fsync(sink.fileno())
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    if durable:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
