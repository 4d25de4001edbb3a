"""Two sides in turn where the other side times itself, and what was measured.

A part of the bench `compose`: PEFT's call is timed inside `PeftSide`, without what goes before and
after it. Owns the order of the runs.
"""

import statistics
import time
from collections.abc import Callable
from importlib import metadata
from typing import TypeVar

import torch

from .peft_side import Merged
from .timing import Ratio, Timing

Ours = TypeVar("Ours")
_SHORT = 3  # runs of ours per pair, their median counted: ours takes a hundredth of a pair


def in_turn(
    ours: Callable[[], Ours], theirs: Callable[[], Merged], *, pairs: int
) -> tuple[Ratio, Ours, Merged]:
    """Ours, theirs, ours, theirs ...; ours is warmed up once. The last results come along."""
    mine = ours()
    seconds: list[tuple[float, float]] = []
    for _ in range(pairs):
        short = []
        for _ in range(_SHORT):
            start = time.perf_counter()
            mine = ours()
            short.append(time.perf_counter() - start)
        other = theirs()
        seconds.append((statistics.median(short), other.seconds))
    ratio = Ratio(Timing(tuple(a for a, _ in seconds)), Timing(tuple(b for _, b in seconds)))
    return ratio, mine, other


def versions() -> dict[str, str]:
    """What was measured, and on how many threads."""
    found = {name: metadata.version(name) for name in ("torch", "peft")}
    return {**found, "threads": str(torch.get_num_threads())}
