"""Similarity to prototypes of the requests a skill's adapter was trained on. Pure.

The prototypes of a skill are the centroids of k-means on the unit vectors of its own requests
(spherical: a centroid is scaled back to length 1). A skill without requests of its own, such as
one that was never trained, is represented by its description.
"""

from __future__ import annotations

import zlib

import numpy as np

from ..features import Features
from ..fit_types import RoutedSkill
from ..scores import Floats, unit
from . import description

NUM_PROTOTYPES = 8
_MAX_ROUNDS = 25


def rows_of(skill: RoutedSkill, features: Features, *, seed: int) -> Floats:
    """At most `NUM_PROTOTYPES` centroids, shape (K, D); the same seed gives the same rows."""
    if not skill.requests:
        return description.rows_of(skill, features, seed=seed)
    points_ND = np.stack([features.vector(text) for text in skill.requests])
    rng = np.random.default_rng([seed, zlib.crc32(skill.name.encode())])
    return spherical_k_means(points_ND, NUM_PROTOTYPES, rng=rng)


def spherical_k_means(points_ND: Floats, num_centroids: int, *, rng: np.random.Generator) -> Floats:
    """Centroids of unit vectors by cosine, shape (K, D) with K <= num_centroids.

    Starts as k-means++ does (the next centroid is drawn in proportion to 1 - cosine to the
    nearest one so far) and stops when no point changes its centroid.

    Args:
        points_ND: at least one row, each of length 1 or all zeros.
        num_centroids: at least 1; fewer come back where there are fewer distinct points.
        rng: the only source of randomness.
    """
    points_ND = np.unique(points_ND, axis=0)
    if len(points_ND) <= num_centroids:
        return points_ND
    centroids_KD = _spread(points_ND, num_centroids, rng=rng)
    nearest_N = np.full(len(points_ND), -1)
    for _ in range(_MAX_ROUNDS):
        now_N = np.argmax(points_ND @ centroids_KD.T, axis=1)
        if (now_N == nearest_N).all():
            break
        nearest_N = now_N
        held = [points_ND[nearest_N == k] for k in range(len(centroids_KD))]
        sums_KD = np.stack([group.sum(axis=0) for group in held if len(group)])
        centroids_KD = unit(sums_KD)
    return centroids_KD


def _spread(points_ND: Floats, num_centroids: int, *, rng: np.random.Generator) -> Floats:
    chosen = [int(rng.integers(len(points_ND)))]
    while len(chosen) < num_centroids:
        nearest_N = np.max(points_ND @ points_ND[chosen].T, axis=1)
        far_N = np.clip(1.0 - nearest_N.astype(np.float64), 0.0, None)
        far_N[chosen] = 0.0
        if far_N.sum() == 0:
            break
        chosen.append(int(rng.choice(len(points_ND), p=far_N / far_N.sum())))
    return points_ND[chosen]
