"""Bootstrap resamples of grouped values, as pure numpy.

Owns three ways of drawing means of items that come in clusters: clusters alone, items inside
fixed clusters, and both in turn. Refuses to own intervals (`stats`) and any randomness of its own.

Letters: N items, C clusters, U distinct values, B resamples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .errors import EvaluationError

Floats = NDArray[np.float64]
"""Float64 array; the letters in a name give its axes."""


def grouped(
    values_N: Sequence[float] | Floats, clusters_N: Sequence[str]
) -> tuple[Floats, list[Floats]]:
    """Check the input and split the values by cluster, in order of the cluster's name.

    Raises:
        EvaluationError: no items, unequal lengths, or a value that is not finite.
    """
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


def cluster_means(
    groups: Sequence[Floats], *, rng: np.random.Generator, num_resamples: int
) -> Floats:
    """Means over C clusters drawn with replacement, each with all of its items; shape (B,)."""
    times_BC = _cluster_draws(len(groups), rng=rng, num_resamples=num_resamples)
    sums_C = np.array([group.sum() for group in groups])
    sizes_C = np.array([group.size for group in groups])
    means_B: Floats = (times_BC @ sums_C) / (times_BC @ sizes_C)
    return means_B


def item_means(groups: Sequence[Floats], *, rng: np.random.Generator, num_resamples: int) -> Floats:
    """Means with every cluster kept and its items drawn with replacement; shape (B,)."""
    once_BC = np.ones((num_resamples, len(groups)), dtype=np.int64)
    return _means(groups, once_BC, rng=rng)


def two_stage_means(
    groups: Sequence[Floats], *, rng: np.random.Generator, num_resamples: int
) -> Floats:
    """Means over clusters drawn with replacement, and items drawn inside them; shape (B,)."""
    times_BC = _cluster_draws(len(groups), rng=rng, num_resamples=num_resamples)
    return _means(groups, times_BC, rng=rng)


def _cluster_draws(
    num_clusters: int, *, rng: np.random.Generator, num_resamples: int
) -> NDArray[np.int64]:
    """How often each cluster is drawn, shape (B, C)."""
    uniform = np.full(num_clusters, 1.0 / num_clusters)
    return rng.multinomial(num_clusters, uniform, size=num_resamples)


def _means(
    groups: Sequence[Floats], times_BC: NDArray[np.int64], *, rng: np.random.Generator
) -> Floats:
    """Means of resampled items, the clusters drawn as often as told.

    Drawing n items with replacement from n items that take U distinct values is one multinomial
    draw over these values, so binary outcomes cost two numbers a drawn cluster and not n.
    """
    sum_B = np.zeros(len(times_BC))
    for c, group in enumerate(groups):
        levels_U, counts_U = np.unique(group, return_counts=True)
        # a cluster drawn t times is t independent draws of n items = one draw of t * n items
        drawn_BU = rng.multinomial(times_BC[:, c] * group.size, counts_U / group.size)
        sum_B += drawn_BU @ levels_U
    means_B: Floats = sum_B / (times_BC @ np.array([group.size for group in groups]))
    return means_B
