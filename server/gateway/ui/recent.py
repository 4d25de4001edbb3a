"""The last minutes of traffic in steps of two seconds, small enough to be kept always. Pure.

A request costs a logarithm and some dictionary entries. Times are kept in buckets that are 8 %
wide, so that any quantile of any stretch is right within 4 %, and nothing grows with traffic.
Owns the counts and their document. Refuses to own a clock: whoever notes brings the time.
"""

import math
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

STEP_S = 2.0
NUM_STEPS = 150
"""Five minutes."""
MAX_ADAPTERS = 40
"""Adapters told apart within one step; the rest of a step shares `other`."""
OTHER = "other"

_SHORTEST_S = 1e-4
_WIDTH = math.log(1.08)


@dataclass(frozen=True)
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


@dataclass
class Times:
    """A histogram of times; `buckets` counts by the logarithm."""

    buckets: "Counter[int]" = field(default_factory=Counter)

    def add(self, seconds: float) -> None:
        self.buckets[int(math.log(max(seconds, _SHORTEST_S) / _SHORTEST_S) / _WIDTH)] += 1

    def quantile_ms(self, share: float) -> float | None:
        """The time that a `share` of all does not exceed, in milliseconds; None without any."""
        wanted = share * sum(self.buckets.values())
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= wanted:
                return round(1000 * _SHORTEST_S * math.exp((bucket + 0.5) * _WIDTH), 2)
        return None


@dataclass
class Counts:
    """Sums over some requests."""

    requests: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    durations: Times = field(default_factory=Times)
    ttfts: Times = field(default_factory=Times)

    def add(self, one: Happened) -> None:
        self.requests += 1
        self.failed += not one.ok
        self.prompt_tokens += one.prompt_tokens
        self.completion_tokens += one.completion_tokens
        self.durations.add(one.duration_s)
        if one.ttft_s is not None:
            self.ttfts.add(one.ttft_s)

    def document(self) -> dict[str, object]:
        return {
            "requests": self.requests,
            "failed": self.failed,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "p50_ms": self.durations.quantile_ms(0.5),
            "p95_ms": self.durations.quantile_ms(0.95),
            "ttft_p50_ms": self.ttfts.quantile_ms(0.5),
        }


class Recent:
    """The ring. `now` is any clock in seconds that never goes back, the same for all calls."""

    def __init__(self) -> None:
        self._steps: deque[tuple[int, dict[str, Counts]]] = deque(maxlen=NUM_STEPS)

    def note(self, now: float, one: Happened) -> None:
        """A request has ended."""
        number = int(now // STEP_S)
        if not self._steps or self._steps[-1][0] != number:
            self._steps.append((number, {}))
        adapters = self._steps[-1][1]
        known = one.adapter in adapters or len(adapters) < MAX_ADAPTERS
        adapters.setdefault(one.adapter if known else OTHER, Counts()).add(one)

    def document(self, now: float) -> dict[str, object]:
        """Steps that have ended, oldest first, and sums by adapter, the running step included.

        Returns:
            {"step_s", "steps": [NUM_STEPS documents of `Counts`], "adapters": [the same with
            "adapter", most requests first]}.
        """
        last = int(now // STEP_S)
        kept = {number: found for number, found in self._steps if last - NUM_STEPS <= number}
        numbers = range(last - NUM_STEPS, last)
        steps = [_sum(kept.get(number, {}).values()).document() for number in numbers]
        names = {name for found in kept.values() for name in found}
        sums = [(name, _sum(f[name] for f in kept.values() if name in f)) for name in names]
        sums.sort(key=lambda one: (-one[1].requests, one[0]))
        adapters = [{"adapter": name, **sum_.document()} for name, sum_ in sums[: MAX_ADAPTERS + 1]]
        return {"step_s": STEP_S, "steps": steps, "adapters": adapters}


def _sum(parts: Iterable[Counts]) -> Counts:
    total = Counts()
    for part in parts:
        total.requests += part.requests
        total.failed += part.failed
        total.prompt_tokens += part.prompt_tokens
        total.completion_tokens += part.completion_tokens
        total.durations.buckets.update(part.durations.buckets)
        total.ttfts.buckets.update(part.ttfts.buckets)
    return total
