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

_MOST_DRAWS = 4_000_000
"""Drawn counts of clusters that are held at once: 32 MB, however many clusters there are."""


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
    places: dict[str, list[int]] = {}
    for place, name in enumerate(clusters_N):
        places.setdefault(name, []).append(place)
    return values, [values[places[name]] for name in sorted(places)]


def cluster_means(
    groups: Sequence[Floats], *, rng: np.random.Generator, num_resamples: int
) -> Floats:
    """Means over C clusters drawn with replacement, each with all of its items; shape (B,)."""
    sums_C = np.array([group.sum() for group in groups])
    sizes_C = np.array([group.size for group in groups], dtype=np.float64)
    most = max(1, _MOST_DRAWS // len(groups))  # the draws follow each other, so parts change none
    parts = [
        (times_BC @ sums_C) / (times_BC @ sizes_C)
        for start in range(0, num_resamples, most)
        for times_BC in [
            _cluster_draws(len(groups), rng=rng, num_resamples=min(most, num_resamples - start))
        ]
    ]
    return np.concatenate(parts)


def item_means(groups: Sequence[Floats], *, rng: np.random.Generator, num_resamples: int) -> Floats:
    """Means with every cluster kept and its items drawn with replacement; shape (B,)."""
    once_BC = np.broadcast_to(np.int64(1), (num_resamples, len(groups)))
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
    size_B = np.zeros(len(times_BC), dtype=np.int64)
    for c, group in enumerate(groups):
        size_B += times_BC[:, c] * group.size
    means_B: Floats = sum_B / size_B
    return means_B
