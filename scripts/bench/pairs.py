"""Two sides in turn where the other side times itself, and what was measured.

A part of the bench `compose`: PEFT's call is timed inside `PeftSide`, without what goes before and
after it. Owns the order of the runs.
"""

import time
from collections.abc import Callable
from importlib import metadata
from typing import TypeVar

import torch

from .peft_side import Merged
from .timing import Ratio, Timing

Ours = TypeVar("Ours")


def in_turn(
    ours: Callable[[], Ours], theirs: Callable[[], Merged], *, pairs: int, warm: bool = True
) -> tuple[Ratio, Ours, Merged]:
    """Ours, theirs, ours, theirs ..., one run each per pair. The last results come along.

    Args:
        warm: each side runs once before the first pair, uncounted; else neither does.
    """
    if warm:
        ours()
        theirs()
    seconds: list[tuple[float, float]] = []
    for _ in range(pairs):
        start = time.perf_counter()
        mine = ours()
        own = time.perf_counter() - start
        other = theirs()
        seconds.append((own, other.seconds))
    ratio = Ratio(Timing(tuple(a for a, _ in seconds)), Timing(tuple(b for _, b in seconds)))
    return ratio, mine, other


def versions() -> dict[str, str]:
    """What was measured, and on how many threads."""
    found = {name: metadata.version(name) for name in ("torch", "peft")}
    return {**found, "threads": str(torch.get_num_threads())}
