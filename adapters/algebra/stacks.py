"""Modules of equal shape, stacked for batched linear algebra. Pure.

Shape letters: `B` modules in a stack, `P` rank before, `R` rank after, `I` in, `O` out features.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..delta import AdapterDelta, Delta
from .checks import check_finite, names_by, result_dtype

EPS = torch.finfo(torch.float64).eps
_STACK_BYTES = 16 * 2**20  # of float64 factors at a time: some of the last cache level


@dataclass(frozen=True, eq=False)
class Stack:
    """Factors of `B` modules in float64, the scale folded into the ups."""

    names: tuple[str, ...]
    ups_BOP: Float[Tensor, "B O P"]
    downs_BIP: Float[Tensor, "B I P"]
    """The downs transposed: both factors are tall."""
    dtype: torch.dtype
    """Of the result."""

    def only(self, rows: list[int]) -> "Stack":
        """Some of the modules."""
        names = tuple(self.names[i] for i in rows)
        return Stack(names, self.ups_BOP[rows], self.downs_BIP[rows], self.dtype)


def stacks(delta: AdapterDelta) -> Iterator[Stack]:
    """All modules, equal shapes together, never more than a few megabytes at a time.

    Raises:
        ValueError: a factor holds NaN or infinity.
    """
    keys = {
        name: (m.shape, m.rank, str(m.up_OR.device), result_dtype([m])) for name, m in delta.items()
    }
    for names in names_by(keys):
        first = delta[names[0]]
        each = 8 * first.rank * sum(first.shape)
        height = max(1, _STACK_BYTES // each)
        for start in range(0, len(names), height):
            yield _stack(delta, tuple(names[start : start + height]))


def _stack(delta: AdapterDelta, names: tuple[str, ...]) -> Stack:
    ups = torch.stack([delta[n].up_OR.detach().double() for n in names])
    downs = torch.stack([delta[n].down_RI.detach().double() for n in names]).mT
    scales = [delta[n].scale for n in names]
    if any(s != 1.0 for s in scales):
        ups = ups * torch.tensor(scales, dtype=torch.float64, device=ups.device)[:, None, None]
    for i, total in enumerate((ups.square().sum((1, 2)) + downs.square().sum((1, 2))).tolist()):
        if not total < torch.inf:
            check_finite(ups[i], names[i])
            check_finite(downs[i], names[i])
    return Stack(names, ups, downs, result_dtype([delta[names[0]]]))


def product_norms(ups_BOP: Tensor, downs_BIP: Tensor) -> Tensor:
    """`(B, P)`: the norm of every rank-one term, `||u_p|| ||d_p||`."""
    norms: Tensor = torch.linalg.vector_norm(ups_BOP, dim=1)
    others: Tensor = torch.linalg.vector_norm(downs_BIP, dim=1)
    return norms * others


def stored(up_OR: Tensor, down_IR: Tensor, dtype: torch.dtype) -> Delta:
    """Two tall factors as a delta of scale 1, contiguous and in the result's dtype."""
    return Delta(down_IR.mT.to(dtype).contiguous(), up_OR.to(dtype).contiguous(), 1.0)
