"""Terms of any size brought to about norm 1, so that float32 sketches neither over- nor underflow.

Only powers of two are taken out: no digit of an entry changes, so no mask and no election does.
Pure.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..delta import Delta
from .checks import result_dtype
from .truncated import Piece

Terms = list[tuple[Delta, float]]


def of_norm_one(terms: Sequence[tuple[Delta, float]]) -> tuple[Terms, int]:
    """Factors of norm below 1, the largest bound on `||D_i||` and on `|w_i| ||D_i||` in [1/8, 1).

    Returns:
        The terms, and `e`: their weighted sum (or mean) times `2^e` is that of the given ones.
    """
    parts = [(*_split(module), math.frexp(weight)) for module, weight in terms]
    live = [size for _, size, _ in parts if size is not None]
    size_of_all = max(live, default=0)
    heavy = [s + weight[1] for _, s, weight in parts if s is not None and weight[0] != 0.0]
    exponent = max(heavy, default=size_of_all)
    found = []
    for module, size, (mantissa, weight_exponent) in parts:
        scale = _ldexp(module.scale, (size or 0) - size_of_all)
        weight = _ldexp(mantissa, weight_exponent - (exponent - size_of_all))
        found.append((replace(module, scale=scale), weight))
    return found, exponent


def times_power_of_two(piece: Piece, exponent: int, name: str) -> Piece:
    """`2^e D`, half of it on each factor, with its errors.

    Raises:
        ValueError: float64 cannot hold the square of its norm.
    """
    if piece.total == 0.0:
        return piece
    half = exponent // 2
    dtype = piece.module.up_OR.dtype
    module = Delta(
        _shifted(piece.module.down_RI, half, dtype),
        _shifted(piece.module.up_OR, exponent - half, dtype),
        piece.module.scale,
    )
    total = _ldexp(piece.total, 2 * exponent)
    if not 0.0 < total < math.inf:
        raise ValueError(
            f"module {name}: the merged update has a norm of some 2^{exponent}: expected within "
            "1e-150 and 1e150; choose other weights"
        )
    return replace(piece, module=module, lost=_ldexp(piece.lost, 2 * exponent), total=total)


def _split(module: Delta) -> tuple[Delta, int | None]:
    """Factors of norm in [1/2, 1) and a scale in it, and the exponent that was taken out."""
    dtype = result_dtype([module])
    mantissa, exponent = math.frexp(module.scale)
    factors = []
    for factor in (module.down_RI.detach(), module.up_OR.detach()):
        norm = float(torch.linalg.vector_norm(factor, dtype=torch.float64))
        shift = math.frexp(norm)[1]
        factors.append(_shifted(factor, -shift, dtype))
        exponent += shift
        mantissa = 0.0 if norm == 0.0 else mantissa
    return Delta(factors[0], factors[1], mantissa), None if mantissa == 0.0 else exponent


def _shifted(factor: Tensor, exponent: int, dtype: torch.dtype) -> Tensor:
    return (factor.double() * _ldexp(1.0, exponent)).to(dtype)


def _ldexp(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.copysign(math.inf, value)
