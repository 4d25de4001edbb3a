"""From a rule on entries of several deltas to a LoRA: what ties, dare, magnitude share. Pure.

Owns the loop over modules and the start of the sketch; sums in it are float32 (`norm_one.py` keeps
them from over- and underflow). A method gives the rows of its merged delta
for one module; it lives in a file of its own.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..delta import AdapterDelta, Delta
from .checks import (
    check_entries,
    check_finite,
    check_fraction,
    check_mix,
    check_rank,
    module_names,
    terms_of,
)
from .norm_one import of_norm_one, times_power_of_two
from .range_finder import leading_part
from .row_blocks import Rows, TrueDeltas
from .truncated import Piece, Truncated, assemble

_EXTRA = 8
_MOST = 2  # times the rank, and the extra ones: more directions than that are not looked at

MergedRows = Callable[[TrueDeltas, Tensor], Rows]
"""The rows of one module's merged delta, from the true deltas and the weights `(N,)`."""


def merge_entries(
    deltas: Sequence[AdapterDelta],
    weights: Sequence[float],
    *,
    density: float,
    rank: int,
    walks: int | None,
    rows_of: MergedRows,
) -> Truncated:
    """The best rank `R` approximation (nearly) of a merge that acts on entries.

    Args:
        walks: how often the rows are formed; None for as often as `leading_part` finds useful.

    Raises:
        ValueError: as `concat`; a density outside (0, 1], a rank below 1, a value that is not
            finite or far too large, a result that its dtype cannot hold.
    """
    check_mix(deltas, weights)
    check_fraction(density, "density")
    check_rank(rank)
    if walks is not None and walks < 1:
        raise ValueError(f"walks is {walks}: expected a whole number >= 1, or None")
    pieces: dict[str, Piece] = {}
    for name in module_names(deltas):
        given = terms_of(name, deltas, weights)
        for module, _ in given:
            check_entries(module, name)
        terms, exponent = of_norm_one(given)
        true = TrueDeltas([module for module, _ in terms])
        weights_N = torch.tensor([w for _, w in terms], dtype=true.dtype, device=true.device)
        check_finite(weights_N, name)
        rows = rows_of(true, weights_N)
        start_IL = _start(terms, rank).to(true.dtype)
        piece = leading_part(rows, true.shape, start_IL, rank=rank, walks=walks)
        pieces[name] = times_power_of_two(piece, exponent, name)
    return assemble(pieces)


def _start(terms: Sequence[tuple[Delta, float]], rank: int) -> Tensor:
    """Where the plain weighted sum reads from: a mask disturbs that, but does not hide it.

    At most `_MOST * rank + _EXTRA` leading directions of it.
    """
    rows_IP = torch.cat([module.down_RI.detach().float() for module, _ in terms]).mT
    downs_IP: Tensor = rows_IP / torch.linalg.vector_norm(rows_IP, dim=0).clamp(min=1e-30)
    most = _MOST * rank + _EXTRA
    if downs_IP.shape[1] > most:
        return downs_IP.mm(_leading(downs_IP, terms)[:, :most])
    return downs_IP


def _leading(downs_IP: Tensor, terms: Sequence[tuple[Delta, float]]) -> Tensor:
    """`c`, falling, with `downs c` the right singular vectors of the weighted sum `U downs^T`.

    `downs^T downs = C C^T` and `C^T U^T U C y = lambda y` give `c = C^-T y`. It only says where to
    look first: float32 Grams, and a small ridge where factors are dependent.
    """
    parts = [
        module.up_OR.detach().float()
        * (weight * module.scale * torch.linalg.vector_norm(module.down_RI.float(), dim=1))
        for module, weight in terms
    ]
    ups_OP = torch.cat(parts, dim=1)
    seen_PP = (downs_IP.mT @ downs_IP).double()
    seen_PP.diagonal().add_(1e-5)
    lower = torch.linalg.cholesky(seen_PP)
    _, turn = torch.linalg.eigh(lower.mT @ (ups_OP.mT @ ups_OP).double() @ lower)
    upper: Tensor = torch.linalg.solve_triangular(lower.mT, turn.flip(1), upper=True)
    return upper.to(downs_IP.dtype)
