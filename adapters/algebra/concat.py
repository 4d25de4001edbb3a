"""The exact weighted sum of adapters, by stacking their factors. Pure.

Shape letters: `R` rank of one term, `P` sum of the ranks, `I` in features, `O` out features.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..delta import AdapterDelta, Delta
from .checks import check_mix, check_result, module_names, result_dtype, terms_of


def concat(deltas: Sequence[AdapterDelta], weights: Sequence[float]) -> AdapterDelta:
    """The sum of adapters, exactly, as an adapter whose rank is the sum of the ranks.

    `D = sum_i w_i s_i B_i A_i = [c_1 B_1 | c_2 B_2 | ...] [b_1 A_1 ; b_2 A_2 ; ...]` with
    `c_i b_i = w_i s_i`. No product is formed and nothing is approximated: every entry is rounded
    once, to float32. `b_i` is a power of two that brings both factors of a term to like norms (good
    for half precision and for later training), so a single term of weight 1 and scale 1 keeps its
    digits.

    Args:
        deltas: at least one adapter, any mix of ranks and dtypes; the modules are united.
        weights: one finite number per adapter, of either sign. Terms of weight 0 take no rank.

    Returns:
        Scale 1, float32 (float64 where a factor is), on the device of the factors. A module whose
        terms all have weight 0 is kept as zero of rank 1.

    Raises:
        ValueError: no adapter, another number of weights, a weight that is not finite, two
            shapes under one module name, or factors of the result beyond its dtype.

    Source: linear composition as in PSEC (arXiv:2502.05932). PEFT calls the same operation `cat`;
    its `linear` is another one, with cross terms `B_i A_j`.
    """
    check_mix(deltas, weights)
    found = {name: _joined(terms_of(name, deltas, weights)) for name in module_names(deltas)}
    for name, module in found.items():
        check_result(module, name)
    return found


def _joined(terms: list[tuple[Delta, float]]) -> Delta:
    dtype = result_dtype([module for module, _ in terms])
    live = [(module, weight) for module, weight in terms if weight * module.scale != 0.0]
    if not live:
        (rows, columns), device = terms[0][0].shape, terms[0][0].up_OR.device
        return Delta(
            torch.zeros(1, columns, dtype=dtype, device=device),
            torch.zeros(rows, 1, dtype=dtype, device=device),
            1.0,
        )
    parts = [_balanced(module, weight * module.scale, dtype) for module, weight in live]
    downs, ups = zip(*parts, strict=True)
    return Delta(torch.cat(downs), torch.cat(ups, dim=1), 1.0)


def _balanced(module: Delta, factor: float, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """(down, up) with the factor folded in, of norms within a factor of two."""
    down, up = module.down_RI.detach().to(dtype), module.up_OR.detach().to(dtype)
    to_down = 1.0
    norms = [float(torch.linalg.vector_norm(factor)) for factor in (down, up)]
    if all(0.0 < value < math.inf for value in (*norms, abs(factor))):
        logs = [math.log2(value) for value in (abs(factor), norms[1], norms[0])]
        to_down = 2.0 ** round(0.5 * (logs[0] + logs[1] - logs[2]))
    return down * to_down, up * (factor / to_down)
