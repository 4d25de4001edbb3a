"""An adapter of smaller rank together with what it lost. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..delta import AdapterDelta, Delta
from .checks import check_result


@dataclass(frozen=True, eq=False)
class Truncated:
    """A result that approximates a target, and how far it is from it.

    `error` is `||D - D_r|| / ||D||` in the Frobenius norm over all modules together, `errors` the
    same per module; both are 0 where the target is zero. They come from the dropped singular
    values, without a pass over any d x d matrix, and hold for the result in float64; rounding the
    factors to float32 adds at most some `1e-7`. `methods` names the way each module was computed.
    Where the truncation was weighted by activations, `weighted_error(s)` is the same ratio in the
    norm `||. C^(1/2)||_F`, which was minimised; else it is None.
    """

    delta: AdapterDelta
    errors: Mapping[str, float]
    error: float
    methods: Mapping[str, str]
    weighted_errors: Mapping[str, float] | None = None
    weighted_error: float | None = None


@dataclass(frozen=True, eq=False)
class Piece:
    """One module of a result: factors of scale 1, squared norms of what was lost and of all."""

    module: Delta
    lost: float
    total: float
    method: str
    weighted_lost: float | None = None
    weighted_total: float | None = None


def assemble(pieces: Mapping[str, Piece]) -> Truncated:
    """The modules as one adapter with its errors.

    Raises:
        ValueError: a value is not finite.
    """
    for name, piece in pieces.items():
        check_result(piece.module, name)
    weighted = [p for p in pieces.values() if p.weighted_total is not None]
    return Truncated(
        delta={name: piece.module for name, piece in pieces.items()},
        errors={name: ratio(p.lost, p.total) for name, p in pieces.items()},
        error=ratio(sum(p.lost for p in pieces.values()), sum(p.total for p in pieces.values())),
        methods={name: piece.method for name, piece in pieces.items()},
        weighted_errors=(
            {n: ratio(p.weighted_lost or 0.0, p.weighted_total or 0.0) for n, p in pieces.items()}
            if weighted
            else None
        ),
        weighted_error=(
            ratio(
                sum(p.weighted_lost or 0.0 for p in weighted),
                sum(p.weighted_total or 0.0 for p in weighted),
            )
            if weighted
            else None
        ),
    )


def ratio(lost: float, total: float) -> float:
    """Relative norm from two squared norms; 0 for a zero target."""
    return (max(0.0, lost) / total) ** 0.5 if total > 0.0 else 0.0


def zero_piece(shape: tuple[int, int], like: Tensor, dtype: torch.dtype) -> Piece:
    """A zero module of rank 1, exactly."""
    rows, columns = shape
    down = torch.zeros(1, columns, dtype=dtype, device=like.device)
    up = torch.zeros(rows, 1, dtype=dtype, device=like.device)
    return Piece(Delta(down, up, 1.0), 0.0, 0.0, "zero")
