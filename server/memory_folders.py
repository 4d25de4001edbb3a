"""Folders in memory, named after the process that they belong to, so that none stays for ever.

Owns the name and who may be removed: only the folder of a process that is no more, of our user, in
our PID namespace (a process of another container cannot be seen from here). Refuses to own what
lies inside.
"""

import os
import re
import secrets
import shutil
from pathlib import Path

from .supervision.process import start_time

MEMORY = Path("/dev/shm")
_NAMESPACE = Path("/proc/self/ns/pid")
_NAME = re.compile(
    r"skillweave-(?P<kind>[a-z]+)-(?P<space>\d+)-(?P<pid>\d+)-(?P<started>\d+|None)-[0-9a-f]{8}"
)


def make_owned(parent: Path, kind: str, owner: int) -> Path:
    """A new private folder of the process `owner`.

    Raises:
        OSError: it cannot be made there.
    """
    space = _NAMESPACE.stat().st_ino
    name = f"skillweave-{kind}-{space}-{owner}-{start_time(owner)}-{secrets.token_hex(4)}"
    made = parent / name
    made.mkdir(mode=0o700)
    return made


def is_owned(folder: Path, kind: str) -> bool:
    """Whether it has the name of such a folder."""
    match = _NAME.fullmatch(folder.name)
    return match is not None and match["kind"] == kind


def sweep(kind: str, parent: Path = MEMORY) -> list[Path]:
    """Remove the folders of processes that are no more; returns them."""
    try:
        left = [folder for folder in sorted(parent.iterdir()) if _is_left(folder, kind)]
    except OSError:
        return []
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return left


def free_bytes(folder: Path) -> int:
    """What a writer without privileges may still use there; 0 where nothing can be written."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return 0
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def _is_left(folder: Path, kind: str) -> bool:
    match = _NAME.fullmatch(folder.name)
    if match is None or match["kind"] != kind or int(match["space"]) != _NAMESPACE.stat().st_ino:
        return False
    try:
        mine = folder.lstat().st_uid == os.getuid() and folder.is_dir() and not folder.is_symlink()
    except OSError:  # another sweep was quicker
        return False
    return mine and str(start_time(int(match["pid"]))) != match["started"]
