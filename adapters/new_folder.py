"""A new folder that appears under its name only when it is whole, and leaves nothing when it fails.

Owns the way there: made beside its place, moved by one rename, made durable. Refuses to own what is
inside, whose files are the caller's to sync. For folders that people ask for by path; the store has
its own rules.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import Conflict, StoreError
from .file_ops import DiskOps, FileOps


def check_free(out: Path) -> None:
    """Refuse a path where something is, be it a link to nowhere.

    Raises:
        Conflict: there is something.
    """
    if os.path.lexists(out):
        raise Conflict(f"{out} exists: this never overwrites; name a new folder")


@contextmanager
def new_folder(out: Path, *, ops: FileOps | None = None) -> Iterator[Path]:
    """Give the path of a folder to make; after the block it is called `out`.

    The block makes the folder itself. Whatever ends the block early removes it.

    Raises:
        Conflict: something is at `out`, before or after the block.
        StoreError: the disk is unwilling, also within the block; nothing was left there.
    """
    ops = ops or DiskOps()
    check_free(out)
    partial = out.parent / f".partial-{secrets.token_hex(8)}"
    try:
        ops.make_folder(out.parent)
        yield partial
        ops.sync_folder(partial)
        check_free(out)
        ops.rename(partial, out)
        ops.sync_folder(out.parent)
    except StoreError:
        raise
    except OSError as err:
        raise StoreError(f"writing {out} failed: {err}; nothing was left there") from err
    finally:
        shutil.rmtree(partial, ignore_errors=True)
