"""Where composed adapters lie while they are served: in memory where the machine has room for it.

Owns the folder of one gateway, its bound in bytes, and that nothing outlives its process for long:
it goes with the gateway, or, where that was killed, when the next one starts. Refuses to own which
adapters are in it (`sums/composer.py`).
"""

import os
import shutil
import weakref
from pathlib import Path

from ...memory_folders import MEMORY, free_bytes, make_owned

KIND = "mixes"
SHARE = 4
"""The folder may take one part in so many of what is free when it is made."""
LEAST_BYTES = 64 * 1024 * 1024
"""With less room than this, memory is left to the engines, which use it, too."""


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
        self.path = make_owned(parent, KIND, os.getpid())
        self.max_bytes = free_bytes(parent) // SHARE
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


def _room(folder: Path) -> bool:
    return free_bytes(folder) // SHARE >= LEAST_BYTES
