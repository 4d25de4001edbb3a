"""Synthetic arms with a planted effect: whether the statistics say what they claim to say.

Owns: scenarios (how many clusters, how large, how much skills differ), paired outcomes drawn from
them, and the count of false wins, coverage and power. Pure: all randomness comes from the seed.
Refuses to own bars and files (`scripts/exams/evaluator.py`).

One repeat draws a difficulty for every cluster and, around the planted effect, how much this
cluster gains; an item is one uniform number, shared by both arms with probability `shared`, which
makes them a pair. Arm b passes where its number lies below p, arm a below p + gain.

Letters: C clusters, N items.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .resampling import Floats
from .stats import Interval, clustered_mean, two_stage_mean

Method = Callable[..., Interval]
METHODS: Mapping[str, Method] = {"corrected": clustered_mean, "two stages": two_stage_mean}
"""The interval in use, and the one that was in use before it."""
EFFECTS = (0.0, 0.02, 0.10)
"""Planted differences of arm a minus arm b, as shares of items."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of experiment."""

    name: str
    sizes_C: tuple[int, ...]
    """Items of every cluster."""
    spread: float
    """Standard deviation of the gain between clusters, as a share of items."""
    passing: tuple[float, float] = (0.35, 0.55)
    """Between which shares the clusters of arm b pass, evenly drawn. With the gains it must stay
    inside 0 and 1, or the planted effect is not the one that is there."""
    shared: float = 0.7
    """Share of items that are as hard for one arm as for the other."""


SCENARIOS = (
    *(
        Scenario(
            f"{count} skills, gains differ by {100 * spread:g} points", (size,) * count, spread
        )
        for count, size in ((4, 100), (6, 100), (12, 50), (30, 20))
        for spread in (0.0, 0.05, 0.15)
    ),
    *(
        Scenario(
            f"6 skills of 25 to 200 items, gains differ by {100 * spread:g} points",
            (200, 100, 50, 50, 25, 25),
            spread,
        )
        for spread in (0.0, 0.05, 0.15)
    ),
    Scenario("6 skills, arms near the floor", (100,) * 6, 0.0, passing=(0.02, 0.08)),
)
"""What recipes look like here, and somewhat worse."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What one method said over the repeats of one scenario and effect; shares of repeats."""

    scenario: str
    effect: float
    method: str
    repeats: int
    covered: float
    """The interval held the planted effect."""
    wins: float
    """The whole interval lay above 0: arm a is called the winner. False where the effect is 0."""
    losses: float
    """The whole interval lay below 0."""
    width: float
    """Mean width of the interval, as a share of items."""


def paired_outcomes(
    scenario: Scenario, effect: float, *, rng: np.random.Generator
) -> tuple[Floats, list[str]]:
    """Differences of arm a minus arm b, shape (N,), each -1, 0 or 1, and their clusters."""
    parts, clusters = [], []
    for number, size in enumerate(scenario.sizes_C):
        passing = rng.uniform(*scenario.passing)
        gain = effect + scenario.spread * rng.standard_normal()
        hard_b = rng.random(size)
        hard_a = np.where(rng.random(size) < scenario.shared, hard_b, rng.random(size))
        passed_a, passed_b = hard_a < passing + gain, hard_b < passing
        parts.append(passed_a.astype(np.float64) - passed_b)
        clusters += [f"s{number:02d}"] * size
    return np.concatenate(parts), clusters


def tally(
    scenario: Scenario,
    effect: float,
    *,
    repeats: int,
    seed: int,
    methods: Mapping[str, Method] = METHODS,
    num_resamples: int = 1000,
) -> tuple[Tally, ...]:
    """Draw the experiment many times and count; every method sees the same draws."""
    said: dict[str, list[Interval]] = {name: [] for name in methods}
    rng = np.random.default_rng([seed, round(1000 * effect)])
    for _ in range(repeats):
        values_N, clusters_N = paired_outcomes(scenario, effect, rng=rng)
        for name, method in methods.items():
            said[name].append(method(values_N, clusters_N, rng=rng, num_resamples=num_resamples))
    return tuple(_tally(scenario.name, effect, name, seen) for name, seen in said.items())


def _tally(scenario: str, effect: float, method: str, seen: Sequence[Interval]) -> Tally:
    count = len(seen)
    return Tally(
        scenario=scenario,
        effect=effect,
        method=method,
        repeats=count,
        covered=sum(one.low <= effect <= one.high for one in seen) / count,
        wins=sum(one.low > 0 for one in seen) / count,
        losses=sum(one.high < 0 for one in seen) / count,
        width=sum(one.high - one.low for one in seen) / count,
    )
