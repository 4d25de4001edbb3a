"""Where composed adapters lie while they are served: in memory where the machine has room for it.

Owns the folder of one gateway, its bound in bytes, and that nothing outlives its process for long:
it goes with the gateway, or, where that was killed, when the next one starts. Refuses to own which
adapters are in it (`composing.py`).
"""

import contextlib
import os
import re
import secrets
import shutil
import weakref
from pathlib import Path

from ..process import start_time

MEMORY = Path("/dev/shm")
PREFIX = "skillweave-mixes"
SHARE = 4
"""The folder may take one part in so many of what is free when it is made."""
LEAST_BYTES = 64 * 1024 * 1024
"""With less room than this, memory is left to the engines, which use it, too."""
_OURS = re.compile(rf"{PREFIX}-(\d+)-(\d+)-(\d+)-[0-9a-f]+")
_NAMESPACE = Path("/proc/self/ns/pid")


class MixFolder:
    """One folder, made at once.

    Args:
        fallback: where to be when memory has no room; None for the system's temporary folder.
        memory: a folder that is memory.
    """

    def __init__(self, fallback: Path | None, *, memory: Path = MEMORY) -> None:
        parent = next(
            (each for each in (memory, fallback) if each is not None and _room(each)),
            fallback or Path(os.environ.get("TMPDIR", "/tmp")),
        )
        pid = os.getpid()
        owner = f"{_NAMESPACE.stat().st_ino}-{pid}-{start_time(pid)}"
        self.path = parent / f"{PREFIX}-{owner}-{secrets.token_hex(4)}"
        self.path.mkdir(mode=0o700)
        self.max_bytes = _free(parent) // SHARE
        self._closing = weakref.finalize(self, shutil.rmtree, self.path, True)

    def place(self, name: str) -> Path:
        """Where the adapter called `name` belongs."""
        return self.path / name

    def remove(self, name: str) -> None:
        """Take an adapter away."""
        shutil.rmtree(self.path / name, ignore_errors=True)

    def close(self) -> None:
        """Take everything away."""
        self._closing()


def sweep(memory: Path = MEMORY) -> None:
    """Remove what gateways left behind that were killed.

    A process of another container cannot be seen from here, so its folder is left alone.
    """
    with contextlib.suppress(OSError):
        here = _NAMESPACE.stat().st_ino
        for folder in memory.iterdir():
            match = _OURS.fullmatch(folder.name)
            if match is None or int(match[1]) != here or not _is_mine(folder):
                continue
            if start_time(int(match[2])) != int(match[3]):
                shutil.rmtree(folder, ignore_errors=True)


def _is_mine(folder: Path) -> bool:
    try:
        return folder.lstat().st_uid == os.getuid() and folder.is_dir() and not folder.is_symlink()
    except OSError:
        return False


def _room(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK) and _free(folder) // SHARE >= LEAST_BYTES


def _free(folder: Path) -> int:
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize
