"""Measuring: one side alone, or two sides in turn. Owns the clock of every bench.

Single runs scatter here by some 15 %, and the machine's speed drifts; therefore two sides are run
A B A B ..., a ratio is taken pair by pair, and its median is quoted with an interval.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Wall times of one side, seconds each."""

    seconds: tuple[float, ...]

    @property
    def median_s(self) -> float:
        """The median."""
        return statistics.median(self.seconds)

    @property
    def p95_s(self) -> float:
        """The 95th percentile, by the nearest rank."""
        ordered = sorted(self.seconds)
        return ordered[max(0, -(-95 * len(ordered) // 100) - 1)]

    def document(self) -> dict[str, object]:
        """Median, p95 and count for a row."""
        return {"median_s": self.median_s, "p95_s": self.p95_s, "n": len(self.seconds)}


@dataclass(frozen=True)
class Ratio:
    """How many times longer theirs took than ours, pair by pair."""

    ours: Timing
    theirs: Timing

    @property
    def pairs(self) -> tuple[float, ...]:
        """theirs / ours of each pair."""
        both = zip(self.ours.seconds, self.theirs.seconds, strict=True)
        return tuple(theirs / ours for ours, theirs in both)

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.pairs)

    @property
    def interval(self) -> tuple[float, float]:
        """Smallest and largest pair: all that was seen, no model of the noise behind it."""
        return min(self.pairs), max(self.pairs)


def timed(work: Callable[[], object], *, repeats: int, warmup: int = 1) -> Timing:
    """Run `work` and time every repeat; warm-up runs are not counted."""
    for _ in range(warmup):
        work()
    return Timing(tuple(_seconds(work) for _ in range(repeats)))


def per_call(
    work: Callable[[], object], *, repeats: int, calls: int = 1000, warmup: int = 1
) -> Timing:
    """Time work that is too short for one look at the clock: seconds per call, by batches."""

    def batch() -> None:
        for _ in range(calls):
            work()

    return Timing(tuple(s / calls for s in timed(batch, repeats=repeats, warmup=warmup).seconds))


def interleaved(
    ours: Callable[[], object], theirs: Callable[[], object], *, pairs: int = 5, warmup: int = 1
) -> Ratio:
    """Run both sides in turn, A B A B ...; warm-up pairs are not counted."""
    for _ in range(warmup):
        ours()
        theirs()
    seen = [(_seconds(ours), _seconds(theirs)) for _ in range(pairs)]
    return Ratio(Timing(tuple(a for a, _ in seen)), Timing(tuple(b for _, b in seen)))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
