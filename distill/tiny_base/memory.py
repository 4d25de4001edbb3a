"""Keeps the memory that a training step gives back, so that the next step need not ask for it.

glibc returns every large block to the system and takes a new one, which the kernel then has to
clear: about a third of the time of a step of the tiny base. Elsewhere this does nothing.
"""

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Parameters of glibc's `mallopt`."""


def keep_freed_memory() -> bool:
    """Ask the C library to keep what is freed; returns whether it does."""
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    wanted = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 64 * 2**20))
    return all(library.mallopt(name, value) == 1 for name, value in wanted)
