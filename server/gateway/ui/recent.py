"""The last minutes of traffic in steps of two seconds, small enough to be kept always. Pure.

A request costs a logarithm and some dictionary entries. Times are kept in buckets that are 8 %
wide, so that any quantile of any stretch is right within 4 %, and nothing grows with traffic. Sums
over the window are kept along, so that a look costs little however many adapters there are.
Owns the counts and their document. Refuses to own a clock: whoever notes brings the time.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

STEP_S = 2.0
NUM_STEPS = 150
"""Five minutes."""
MAX_ADAPTERS = 40
"""Adapters told apart within one step; the rest of a step shares `other`."""
OTHER = "other"

_SHORTEST_S = 1e-4
_WIDTH = math.log(1.08)


@dataclass(frozen=True, slots=True)
class Happened:
    """One request that has ended; `adapter` is empty where it ended before anything was chosen.

    Times are in seconds, `ttft_s` only where an answer was streamed.
    """

    adapter: str
    ok: bool
    duration_s: float
    ttft_s: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(slots=True)
class Counts:
    """Sums over some requests; `durations` and `ttfts` count by bucket."""

    requests: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    durations: dict[int, int] = field(default_factory=dict)
    ttfts: dict[int, int] = field(default_factory=dict)

    def add(self, other: "Counts", *, sign: int = 1) -> None:
        """Put other requests in; with `sign` -1, take them out again."""
        self.requests += sign * other.requests
        self.failed += sign * other.failed
        self.prompt_tokens += sign * other.prompt_tokens
        self.completion_tokens += sign * other.completion_tokens
        for mine, theirs in ((self.durations, other.durations), (self.ttfts, other.ttfts)):
            for bucket, count in theirs.items():
                mine[bucket] = mine.get(bucket, 0) + sign * count
                if not mine[bucket]:
                    del mine[bucket]

    def document(self) -> dict[str, object]:
        """The sums, and quantiles in milliseconds; None where there was nothing to measure."""
        return {
            "requests": self.requests,
            "failed": self.failed,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "p50_ms": _quantile_ms(self.durations, 0.5),
            "p95_ms": _quantile_ms(self.durations, 0.95),
            "ttft_p50_ms": _quantile_ms(self.ttfts, 0.5),
        }


@dataclass(slots=True)
class _Step:
    number: int
    adapters: dict[str, Counts] = field(default_factory=dict)
    told: dict[str, object] | None = None
    """Its document, once it has ended."""


class Recent:
    """The ring. `now` is any clock in seconds that never goes back, the same for all calls."""

    def __init__(self) -> None:
        self._steps: deque[_Step] = deque()
        self._sums: dict[str, Counts] = {}

    def note(self, now: float, one: Happened) -> None:
        """A request has ended."""
        number = int(now // STEP_S)
        if not self._steps or self._steps[-1].number != number:
            self._turn(number)
            self._steps.append(_Step(number))
        adapters = self._steps[-1].adapters
        known = one.adapter in adapters or len(adapters) < MAX_ADAPTERS
        name = one.adapter if known else OTHER
        counts = _counts(one)
        adapters.setdefault(name, Counts()).add(counts)
        self._sums.setdefault(name, Counts()).add(counts)

    def document(self, now: float) -> dict[str, object]:
        """Steps that have ended, oldest first, and sums by adapter, the running step included.

        Returns:
            {"step_s", "steps": [NUM_STEPS documents of `Counts`], "adapters": [the same with
            "adapter", most requests first]}.
        """
        last = int(now // STEP_S)
        self._turn(last)
        told = {step.number: step.told for step in self._steps}
        steps = [told.get(number) or NOTHING for number in range(last - NUM_STEPS, last)]
        sums = sorted(self._sums.items(), key=lambda one: (-one[1].requests, one[0]))
        adapters = [{"adapter": name, **one.document()} for name, one in sums[: MAX_ADAPTERS + 1]]
        return {"step_s": STEP_S, "steps": steps, "adapters": adapters}

    def _turn(self, number: int) -> None:
        """The clock has come to a step: close the one before, forget what is out of the window."""
        if self._steps and self._steps[-1].number < number and self._steps[-1].told is None:
            self._steps[-1].told = _sum(self._steps[-1].adapters.values()).document()
        while self._steps and self._steps[0].number < number - NUM_STEPS:
            for name, counts in self._steps.popleft().adapters.items():
                self._sums[name].add(counts, sign=-1)
                if not self._sums[name].requests:
                    del self._sums[name]


def _counts(one: Happened) -> Counts:
    return Counts(
        1,
        int(not one.ok),
        one.prompt_tokens,
        one.completion_tokens,
        {_bucket(one.duration_s): 1},
        {} if one.ttft_s is None else {_bucket(one.ttft_s): 1},
    )


def _bucket(seconds: float) -> int:
    return int(math.log(max(seconds, _SHORTEST_S) / _SHORTEST_S) / _WIDTH)


def _quantile_ms(buckets: Mapping[int, int], share: float) -> float | None:
    """The time that a `share` of all does not exceed; None without any."""
    wanted = share * sum(buckets.values())
    seen = 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= wanted:
            return round(1000 * _SHORTEST_S * math.exp((bucket + 0.5) * _WIDTH), 2)
    return None


def _sum(parts: Iterable[Counts]) -> Counts:
    total = Counts()
    for part in parts:
        total.add(part)
    return total


NOTHING = Counts().document()
"""A step in which no request ended."""
