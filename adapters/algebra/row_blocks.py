"""The true deltas of several adapters, a block of rows at a time. Pure.

Methods on the entries of a delta (pruning, sign election) need the entries themselves; a block of
rows is all of them that ever exists. Shape letters: `N` adapters, `H` rows of a block, `R` rank
(the largest; smaller ones padded with zeros), `I` in, `O` out features.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ..delta import Delta
from .checks import result_dtype

_BLOCK_ELEMENTS = 2**18  # N x H x I: 1 MB of float32, about one core's second-level cache

Rows = Callable[[], Iterator[tuple[slice, Tensor]]]
"""Every call walks once over a matrix: a slice of its rows and those rows.

The rows lie in a buffer that the next step overwrites; the walker may change them.
"""


class TrueDeltas:
    """`s_i B_i A_i` of `N` adapters for one module, by blocks of rows.

    Entries are computed in float32 (float64 where a factor is), product first, then the scale.
    """

    def __init__(self, modules: Sequence[Delta]) -> None:
        self.num, self.shape = len(modules), modules[0].shape
        self.dtype = result_dtype(modules)
        self._scales = [m.scale for m in modules]
        rank, device = max(m.rank for m in modules), modules[0].up_OR.device
        self.device = device
        rows, columns = self.shape
        self._ups_NOR = torch.zeros(self.num, rows, rank, dtype=self.dtype, device=device)
        self._downs_NRI = torch.zeros(self.num, rank, columns, dtype=self.dtype, device=device)
        for i, module in enumerate(modules):
            # a power of two changes no digit: it may as well be in the factor
            folded = math.frexp(module.scale)[0] in (0.5, -0.5)
            self._ups_NOR[i, :, : module.rank] = module.up_OR.detach()
            if folded:
                self._ups_NOR[i].mul_(module.scale)
                self._scales[i] = 1.0
            self._downs_NRI[i, : module.rank] = module.down_RI.detach()
        self.height = min(rows, max(1, _BLOCK_ELEMENTS // (self.num * columns)))

    def buffer(self) -> Tensor:
        """Room for one block, `(N, H, I)`."""
        size = (self.num, self.height, self.shape[1])
        return torch.empty(size, dtype=self.dtype, device=self._ups_NOR.device)

    def slices(self) -> Iterator[slice]:
        """The rows of each block."""
        for start in range(0, self.shape[0], self.height):
            yield slice(start, min(start + self.height, self.shape[0]))

    def entries(self, rows_S: Tensor, columns_S: Tensor) -> Float[Tensor, "N S"]:
        """The entries at `S` places of every adapter."""
        ups_NSR, downs_NRS = self._ups_NOR[:, rows_S], self._downs_NRI[:, :, columns_S]
        return self._scaled((ups_NSR * downs_NRS.mT).sum(2))

    def blocks(self) -> Iterator[tuple[slice, Float[Tensor, "N H I"]]]:
        """All rows; the block is overwritten by the next step."""
        buffer = self.buffer()
        for rows in self.slices():
            block = buffer[:, : rows.stop - rows.start]
            torch.bmm(self._ups_NOR[:, rows], self._downs_NRI, out=block)
            yield rows, self._scaled(block)

    def _scaled(self, block: Tensor) -> Tensor:
        for i, scale in enumerate(self._scales):
            if scale != 1.0:
                block[i].mul_(scale)
        return block
