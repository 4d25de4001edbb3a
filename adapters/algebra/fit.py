"""The weights under which a sum of adapters comes nearest to a target. Pure.

Shape letter: `N` candidates.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..delta import AdapterDelta
from .checks import check_deltas
from .products import gram

_CUT = 1e-10  # of the largest eigenvalue: candidates this dependent share their weight


@dataclass(frozen=True)
class FittedWeights:
    """Weights in the order of the candidates, and `||T - sum_i w_i D_i|| / ||T||`."""

    weights: tuple[float, ...]
    residual: float


def fit_weights(
    target: AdapterDelta, candidates: Sequence[AdapterDelta], *, ridge: float = 0.0
) -> FittedWeights:
    """`argmin_w ||T - sum_i w_i D_i||_F^2 + ridge sum_i w_i^2 ||D_i||_F^2`, without a d x d matrix.

    The normal equations of the candidates' Gram matrix, float64, candidates brought to norm 1
    first. Dependent candidates (duplicates, zeros) get the solution of least norm. The residual
    comes from the same Gram: below some 1e-7 it is rounding.

    Args:
        ridge: `>= 0`, relative to the candidates' own squared norms: 0.01 takes 1 % off the weight
            of a lone candidate.

    Returns:
        The weights and the relative residual (without the ridge term); 0 for a zero target.

    Raises:
        ValueError: no candidate, shapes that differ under one name, a ridge below 0.

    Source: ordinary least squares in the Frobenius inner product.
    """
    if not (math.isfinite(ridge) and ridge >= 0.0):
        raise ValueError(f"ridge is {ridge}: expected a finite number >= 0")
    if not candidates:
        raise ValueError("0 candidates: expected at least one")
    check_deltas([target, *candidates])
    all_NN = gram([target, *candidates])
    inner_NN, to_target_N, energy = all_NN[1:, 1:], all_NN[1:, 0], float(all_NN[0, 0])
    norms_N = inner_NN.diagonal().clamp(min=0.0).sqrt()
    norms_N = torch.where(norms_N > 0.0, norms_N, torch.ones_like(norms_N))
    values, vectors = torch.linalg.eigh(inner_NN / norms_N[:, None] / norms_N)
    sound = values > _CUT * values[-1].clamp(min=1e-300)
    inverse = torch.where(sound, 1.0 / (values + ridge), torch.zeros_like(values))
    weights_N = (vectors * inverse) @ vectors.mT @ (to_target_N / norms_N) / norms_N
    lost = energy - 2 * float(weights_N @ to_target_N) + float(weights_N @ inner_NN @ weights_N)
    residual = math.sqrt(max(0.0, lost) / energy) if energy > 0.0 else 0.0
    return FittedWeights(tuple(weights_N.tolist()), residual)
