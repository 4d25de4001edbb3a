"""Paired, clustered statistics of an experiment, as pure numpy.

Owns: the mean and the paired difference with bootstrap intervals clustered by skill, discordant
counts, and McNemar's exact test. Refuses to own: which arms exist, what counts as a success, and
any randomness of its own (every function that draws takes a `numpy.random.Generator`).

The bootstrap has two stages. A resample draws as many clusters as there are, with replacement;
inside every drawn cluster it draws as many items as the cluster holds, with replacement; the
statistic is the mean over all drawn items. The interval is the percentile interval. The first
stage says that other skills could have been chosen, the second that other items could have been.

Letters: N items, C clusters, U distinct values, B resamples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import EvaluationError

Floats = NDArray[np.float64]
"""Float64 array; the letters in a name give its axes."""

NUM_RESAMPLES = 10_000
"""Resamples of every interval unless told otherwise: about 0.1 points of interval noise."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its interval, all in the unit of the values.

    `low <= high` always; `estimate` is the mean of the sample itself, not of the resamples.
    """

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Discordant:
    """Pairs on which two arms disagree: `only_a` passed with a alone, `only_b` with b alone."""

    only_a: int
    only_b: int


def clustered_mean(
    values_N: Sequence[float] | Floats,
    clusters_N: Sequence[str],
    *,
    rng: np.random.Generator,
    num_resamples: int = NUM_RESAMPLES,
    level: float = 0.95,
) -> Interval:
    """Mean of the values with a two-stage bootstrap interval clustered by `clusters_N`.

    Args:
        values_N: one number an item (rewards, or passes as 0 and 1).
        clusters_N: the cluster of every item; in this project the skill.
        rng: the only source of randomness; the same state gives the same interval.
        num_resamples: B, at least 1.
        level: two-sided confidence, inside (0, 1).

    Returns:
        The mean over all items and its percentile interval. With one cluster only the second
        stage is left, and the interval speaks of that one cluster.

    Raises:
        EvaluationError: no items, unequal lengths, a value that is not finite, a bad level.
    """
    values, groups = _grouped(values_N, clusters_N)
    if not 0.0 < level < 1.0 or num_resamples < 1:
        raise EvaluationError(
            f"level={level} and num_resamples={num_resamples}: expected a level inside (0, 1) "
            "and at least one resample"
        )
    means_B = _resampled_means(groups, rng=rng, num_resamples=num_resamples)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(means_B, [tail, 1.0 - tail])
    return Interval(estimate=float(values.mean()), low=float(low), high=float(high))


def paired_difference(
    a_N: Sequence[float] | Floats,
    b_N: Sequence[float] | Floats,
    *,
    clusters_N: Sequence[str],
    rng: np.random.Generator,
    num_resamples: int = NUM_RESAMPLES,
    level: float = 0.95,
) -> Interval:
    """Mean of `a - b` over matched items, with the interval of `clustered_mean`.

    Position i of both arms must be the same item: the pair is resampled as one, so what makes an
    item hard for both arms cancels. Two identical arms give exactly 0, 0, 0.

    Raises:
        EvaluationError: unequal lengths, and whatever `clustered_mean` refuses.
    """
    a, b = np.asarray(a_N, dtype=np.float64), np.asarray(b_N, dtype=np.float64)
    if a.shape != b.shape:
        raise EvaluationError(
            f"{a.size} values in one arm and {b.size} in the other: a paired difference needs "
            "the same items in the same order"
        )
    return clustered_mean(a - b, clusters_N, rng=rng, num_resamples=num_resamples, level=level)


def discordant(a_N: Sequence[bool], b_N: Sequence[bool]) -> Discordant:
    """Count the matched items that exactly one of the two arms passed.

    Raises:
        EvaluationError: unequal lengths.
    """
    if len(a_N) != len(b_N):
        raise EvaluationError(f"{len(a_N)} outcomes against {len(b_N)}: the arms are not matched")
    pairs = list(zip(a_N, b_N, strict=True))
    return Discordant(
        only_a=sum(a and not b for a, b in pairs), only_b=sum(b and not a for a, b in pairs)
    )


def mcnemar_exact(counts: Discordant) -> float:
    """Two-sided exact p-value of McNemar's test: under H0 a disagreement is a fair coin.

    p = min(1, 2 * P(X <= min(only_a, only_b))), X ~ Binomial(only_a + only_b, 1/2); 1.0 without
    any disagreement. It ignores clusters, so it is shown beside the interval and decides nothing.

    Source: Q. McNemar, Psychometrika 12 (1947), in its exact binomial form.
    """
    n = counts.only_a + counts.only_b
    tail = sum(math.comb(n, k) for k in range(min(counts.only_a, counts.only_b) + 1))
    return float(min(1.0, 2 * tail / 2**n))


def _grouped(
    values_N: Sequence[float] | Floats, clusters_N: Sequence[str]
) -> tuple[Floats, list[Floats]]:
    """Check the input and split the values by cluster, in order of the cluster's name."""
    values = np.asarray(values_N, dtype=np.float64)
    if values.ndim != 1 or values.size == 0 or values.size != len(clusters_N):
        raise EvaluationError(
            f"values of shape {values.shape} with {len(clusters_N)} cluster names: expected one "
            "value and one cluster for each of at least one item"
        )
    if not np.isfinite(values).all():
        raise EvaluationError("a value is NaN or infinite: score every item with a finite number")
    names = np.asarray(clusters_N)
    return values, [values[names == name] for name in sorted(set(clusters_N))]


def _resampled_means(
    groups: Sequence[Floats], *, rng: np.random.Generator, num_resamples: int
) -> Floats:
    """Means of the two-stage resamples, shape (B,).

    Drawing n items with replacement from n items that take U distinct values is one multinomial
    draw over these values, so binary outcomes cost two numbers a drawn cluster and not n.
    """
    num_clusters = len(groups)
    uniform = np.full(num_clusters, 1.0 / num_clusters)
    times_BC = rng.multinomial(num_clusters, uniform, size=num_resamples)
    sum_B = np.zeros(num_resamples)
    for c, group in enumerate(groups):
        levels_U, counts_U = np.unique(group, return_counts=True)
        # a cluster drawn t times is t independent draws of n items = one draw of t * n items
        drawn_BU = rng.multinomial(times_BC[:, c] * group.size, counts_U / group.size)
        sum_B += drawn_BU @ levels_U
    size_B = times_BC @ np.array([group.size for group in groups])
    means_B: Floats = sum_B / size_B
    return means_B
