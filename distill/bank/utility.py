"""What a skill is worth: the same tasks and seeds with it and without it. Pure but for the caller's
`evaluate`.

Owns the pairing and the estimate. Refuses to own how a context is run, what a context is (a bank, a
fork, a prompt, a model string) and the statistics (`evaluation/stats.py`).
"""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from ..evaluation.errors import EvaluationError
from ..evaluation.stats import NUM_RESAMPLES, paired_difference

Context = TypeVar("Context")


@dataclass(frozen=True)
class Scored:
    """One task under one context: its reward, in [0, 1] as a rule."""

    task_id: str
    family: str
    reward: float


Evaluate = Callable[[Context, int], Awaitable[Sequence[Scored]]]
"""Runs a context under a seed; the same seed means the same tasks and the same sampling."""


@dataclass(frozen=True)
class Pair:
    """One task and seed under both contexts."""

    task_id: str
    seed: int
    family: str
    reference: float
    candidate: float

    @property
    def delta(self) -> float:
        return self.candidate - self.reference


@dataclass(frozen=True)
class PairedResults:
    """What a gate sees: candidate against reference, matched; never empty."""

    pairs: tuple[Pair, ...]

    def __post_init__(self) -> None:
        if not self.pairs:
            raise EvaluationError("0 pairs: a comparison needs at least one task under both arms")

    @cached_property
    def reference_mean(self) -> float:
        """Summed exactly: equal rewards in another order have an equal mean."""
        return math.fsum(pair.reference for pair in self.pairs) / len(self.pairs)

    @cached_property
    def candidate_mean(self) -> float:
        return math.fsum(pair.candidate for pair in self.pairs) / len(self.pairs)

    @cached_property
    def delta(self) -> float:
        """Mean difference, candidate minus reference."""
        return float(np.mean([pair.delta for pair in self.pairs]))

    def by_family(self) -> Mapping[str, float]:
        """Mean difference of each family, by name."""
        deltas: dict[str, list[float]] = {}
        for pair in self.pairs:
            deltas.setdefault(pair.family, []).append(pair.delta)
        return {family: float(np.mean(deltas[family])) for family in sorted(deltas)}

    def only(self, families: Sequence[str]) -> "PairedResults":
        """The pairs of some families.

        Raises:
            EvaluationError: there are none.
        """
        return PairedResults(tuple(pair for pair in self.pairs if pair.family in families))


@dataclass(frozen=True)
class Utility:
    """An estimate of marginal utility with its 95 % interval and the number of pairs."""

    delta: float
    low: float
    high: float
    n: int


def paired(
    candidate: Mapping[int, Sequence[Scored]], reference: Mapping[int, Sequence[Scored]]
) -> PairedResults:
    """Match two arms by seed and task.

    Args:
        candidate: seed -> results; the same of `reference`.

    Raises:
        EvaluationError: the arms do not hold the same seeds, tasks and families, each once.
    """
    if candidate.keys() != reference.keys():
        raise EvaluationError(
            f"seeds {sorted(candidate)} in one arm and {sorted(reference)} in the other: run both "
            "under the same seeds"
        )
    pairs: list[Pair] = []
    for seed in sorted(candidate):
        mine, theirs = _by_task(candidate[seed], seed), _by_task(reference[seed], seed)
        if odd := sorted(mine.keys() ^ theirs.keys()):
            raise EvaluationError(
                f"under seed {seed} {len(odd)} task(s) stand in one arm alone, first {odd[0]!r}: "
                "a seed must mean the same tasks in both arms"
            )
        pairs += [
            Pair(task, seed, family, theirs[task, family].reward, one.reward)
            for (task, family), one in mine.items()
        ]
    return PairedResults(tuple(pairs))


def utility_of(
    results: PairedResults, *, rng: np.random.Generator, num_resamples: int = NUM_RESAMPLES
) -> Utility:
    """Mean paired difference with a bootstrap interval clustered by family.

    One family leaves nothing to cluster by; then tasks are the clusters, so that seeds of one task
    never count as separate evidence.

    Raises:
        EvaluationError: a reward is not finite.
    """
    families = {pair.family for pair in results.pairs}
    clusters = [p.family if len(families) > 1 else p.task_id for p in results.pairs]
    interval = paired_difference(
        [pair.candidate for pair in results.pairs],
        [pair.reference for pair in results.pairs],
        clusters_N=clusters,
        rng=rng,
        num_resamples=num_resamples,
    )
    return Utility(interval.estimate, interval.low, interval.high, len(results.pairs))


async def marginal_utility(
    evaluate: Evaluate[Context],
    *,
    with_it: Context,
    without_it: Context,
    seeds: Sequence[int],
    rng: np.random.Generator,
) -> tuple[Utility, PairedResults]:
    """Run both contexts under the same seeds; what the first adds to the second.

    Args:
        evaluate: called twice a seed, with and without in alternating order, so that a drift of
            the machinery hits both.
        seeds: each once, at least one.

    Raises:
        EvaluationError: no seeds, a seed twice, or arms that do not match.
    """
    if not seeds or len(set(seeds)) != len(seeds):
        raise EvaluationError(f"seeds {list(seeds)}: expected at least one, each of them once")
    arms: tuple[dict[int, Sequence[Scored]], ...] = ({}, {})
    contexts = (with_it, without_it)
    for turn, seed in enumerate(seeds):
        for side in (0, 1) if turn % 2 == 0 else (1, 0):
            arms[side][seed] = await evaluate(contexts[side], seed)
    results = paired(*arms)
    return utility_of(results, rng=rng), results


def _by_task(scored: Sequence[Scored], seed: int) -> dict[tuple[str, str], Scored]:
    found = {(one.task_id, one.family): one for one in scored}
    if len(found) != len(scored):
        raise EvaluationError(
            f"under seed {seed} an arm scored a task twice ({len(scored)} results of "
            f"{len(found)} tasks); draw samples under seeds of their own"
        )
    return found
