"""Paired, clustered statistics of an experiment, as pure numpy.

Owns: the mean and the paired difference with bootstrap intervals clustered by skill, their
p-value, discordant counts, and McNemar's exact test. Refuses to own: which arms exist, what counts
as a success, and any randomness of its own (every function that draws takes a
`numpy.random.Generator`).

How an interval is made. A resample draws as many clusters as there are, with replacement: other
skills could have been chosen. With few clusters such resamples are too narrow (their variance is
short by (C-1)/C, and a normal tail is taken for a Student's), so their distances from the
estimate are stretched by

    t(C-1) / z * sqrt(C / (C-1))

at the level of the interval. The interval is at least as wide as the percentile interval of items
drawn inside fixed clusters (other items could have been chosen), and it never leaves the range of
the values. `scripts/exams/evaluator.py` measures how often it covers.

Letters: N items, C clusters, B resamples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from .errors import EvaluationError
from .resampling import Floats, cluster_means, grouped, item_means, two_stage_means
from .student import student_cdf, student_quantile

NUM_RESAMPLES = 10_000
"""Resamples of every interval unless told otherwise: about 0.1 points of interval noise."""

_Z = NormalDist()


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
    """Mean of the values with a bootstrap interval clustered by `clusters_N`.

    Args:
        values_N: one number an item (rewards, or passes as 0 and 1).
        clusters_N: the cluster of every item; in this project the skill.
        rng: the only source of randomness; the same state gives the same interval.
        num_resamples: B, at least 1.
        level: two-sided confidence, inside (0, 1).

    Returns:
        The mean over all items and its interval. With one cluster only its items are drawn, and
        the interval speaks of that one cluster.

    Raises:
        EvaluationError: no items, unequal lengths, a value that is not finite, a bad level.
    """
    _require_draws(level, num_resamples)
    values, groups = grouped(values_N, clusters_N)
    estimate = float(values.mean())
    tails = [(1.0 - level) / 2.0, (1.0 + level) / 2.0]
    inside_B = item_means(groups, rng=rng, num_resamples=num_resamples)
    low, high = (float(end) for end in np.quantile(inside_B, tails))
    if len(groups) > 1:
        between_B = cluster_means(groups, rng=rng, num_resamples=num_resamples)
        ends = estimate + stretch(len(groups), level) * (np.quantile(between_B, tails) - estimate)
        low, high = min(low, float(ends[0])), max(high, float(ends[1]))
    low = min(max(low, float(values.min())), estimate)
    return Interval(estimate, low, max(min(high, float(values.max())), estimate))


def two_stage_mean(
    values_N: Sequence[float] | Floats,
    clusters_N: Sequence[str],
    *,
    rng: np.random.Generator,
    num_resamples: int = NUM_RESAMPLES,
    level: float = 0.95,
) -> Interval:
    """The plain percentile interval of two stages: clusters drawn, then items inside them.

    Too wide where skills do not differ, too narrow where few skills differ much; kept as what the
    exam holds `clustered_mean` against. Arguments and errors are those of `clustered_mean`.
    """
    _require_draws(level, num_resamples)
    values, groups = grouped(values_N, clusters_N)
    means_B = two_stage_means(groups, rng=rng, num_resamples=num_resamples)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(means_B, [tail, 1.0 - tail])
    return Interval(estimate=float(values.mean()), low=float(low), high=float(high))


def clustered_p_value(values_N: Sequence[float] | Floats, clusters_N: Sequence[str]) -> float:
    """Two-sided p-value of "the mean is 0", on the clusters as `clustered_mean` counts them.

    The mean over its jackknife error is held against Student's t with C-1 degrees of freedom, and
    over the error of items inside fixed clusters against the normal; the larger p counts. With
    one cluster only the second is left. 1.0 where the mean is 0, and 0.0 where every value is the
    same other number. Agrees with the interval of `clustered_mean` but for resampling and skew.

    Raises:
        EvaluationError: what `clustered_mean` refuses.
    """
    values, groups = grouped(values_N, clusters_N)
    mean, count = float(values.mean()), len(groups)
    if mean == 0.0:
        return 1.0
    spread = sum(float(((group - group.mean()) ** 2).sum()) for group in groups)
    inside = _ratio(mean, math.sqrt(spread) / values.size)
    p = math.erfc(abs(inside) / math.sqrt(2.0))
    if count > 1:
        sums_C = np.array([group.sum() for group in groups])
        sizes_C = np.array([group.size for group in groups])
        without_C = (sums_C.sum() - sums_C) / (sizes_C.sum() - sizes_C)
        error = math.sqrt((count - 1) / count * float(((without_C - mean) ** 2).sum()))
        p = max(p, 2 * student_cdf(-abs(_ratio(mean, error)), count - 1))
    return min(1.0, p)


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


def stretch(num_clusters: int, level: float) -> float:
    """By how much the distances of resamples of clusters are stretched; 1 for very many clusters.

    Args:
        num_clusters: C, at least 2.
        level: two-sided confidence, inside (0, 1).

    Returns:
        `t(C-1) / z * sqrt(C / (C-1))`, as in the module's docstring.
    """
    share = (1.0 + level) / 2.0
    small = student_quantile(share, num_clusters - 1) / _Z.inv_cdf(share)
    return small * math.sqrt(num_clusters / (num_clusters - 1))


def _ratio(mean: float, error: float) -> float:
    return mean / error if error > 0.0 else math.copysign(math.inf, mean)


def _require_draws(level: float, num_resamples: int) -> None:
    if not 0.0 < level < 1.0 or num_resamples < 1:
        raise EvaluationError(
            f"level={level} and num_resamples={num_resamples}: expected a level inside (0, 1) "
            "and at least one resample"
        )
