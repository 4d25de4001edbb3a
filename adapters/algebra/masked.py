"""From a rule on entries of several deltas to a LoRA: what ties, dare, magnitude share. Pure.

Owns the loop over modules and the start of the sketch. A method gives the rows of its merged delta
for one module; it lives in a file of its own.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..delta import AdapterDelta, Delta
from .checks import check_finite, check_fraction, check_mix, check_rank, module_names, terms_of
from .range_finder import leading_part
from .row_blocks import Rows, TrueDeltas
from .truncated import Piece, Truncated, assemble

_EXTRA = 8  # directions beyond the rank, where the factors do not give more by themselves
_MOST = 4  # times the rank: more directions of the factors than that are reduced to that

MergedRows = Callable[[TrueDeltas, Tensor], Rows]
"""The rows of one module's merged delta, from the true deltas and the weights `(N,)`."""


def merge_entries(
    deltas: Sequence[AdapterDelta],
    weights: Sequence[float],
    *,
    density: float,
    rank: int,
    powers: int | None,
    rows_of: MergedRows,
) -> Truncated:
    """The best rank `R` approximation (nearly) of a merge that acts on entries.

    Args:
        powers: further walks over the rows; None takes what was measured to stay within 1 % of the
            dense optimum: none, one at a density below 0.3, two where the rank asked for is above
            the rank of the factors.

    Raises:
        ValueError: as `concat`; a density outside (0, 1], a rank below 1, a value not finite.
    """
    check_mix(deltas, weights)
    check_fraction(density, "density")
    check_rank(rank)
    if powers is not None and powers < 0:
        raise ValueError(f"powers is {powers}: expected a whole number >= 0, or None")
    pieces: dict[str, Piece] = {}
    for name in module_names(deltas):
        terms = terms_of(name, deltas, weights)
        modules = [module for module, _ in terms]
        for module in modules:
            check_finite(module.up_OR, name)
            check_finite(module.down_RI, name)
        true = TrueDeltas(modules)
        weights_N = torch.tensor([w for _, w in terms], dtype=true.dtype).to(modules[0].up_OR)
        start_IL = _start(modules, [w for _, w in terms], rank)
        steps = _default_powers(density, rank, modules) if powers is None else powers
        rows = rows_of(true, weights_N.to(true.dtype))
        pieces[name] = leading_part(
            rows, true.shape, start_IL.to(true.dtype), rank=rank, powers=steps
        )
    return assemble(pieces)


def _default_powers(density: float, rank: int, modules: Sequence[Delta]) -> int:
    if rank > sum(m.rank for m in modules):
        return 2
    return 1 if density < 0.3 else 0


def _start(modules: Sequence[Delta], weights: Sequence[float], rank: int) -> Tensor:
    """The rows of the factors, which a mask disturbs but does not hide, and some Gaussian ones."""
    downs_IP = torch.cat([m.down_RI.detach().float() for m in modules]).mT
    wanted = min(downs_IP.shape[0], rank + _EXTRA)
    missing = max(0, wanted - downs_IP.shape[1])
    generator = torch.Generator(device=downs_IP.device).manual_seed(0)
    noise = torch.randn(downs_IP.shape[0], missing, generator=generator, device=downs_IP.device)
    return torch.cat(
        [downs_IP / torch.linalg.vector_norm(downs_IP, dim=0).clamp(min=1e-30), noise], 1
    )
