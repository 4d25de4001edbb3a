"""Where one adapter's weights live: one vector, and views of it for every projection.

Owns the storage, its gradients and its first values. Up factors stand transposed, `(R, O)`, because
both of their backward products are then three times faster on a CPU; the optimiser, the norm and a
checkpoint see one vector.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ....adapters.delta import AdapterDelta, Delta
from .specs import AdapterSpec

Shapes = Mapping[str, tuple[int, int]]
"""Module name -> (out, in) features."""


class Weights:
    """One adapter. Projections that read the same input are a group (`q_proj k_proj v_proj`): their
    down factors lie one under the other, and one product serves them all.

    Args:
        groups: names of the modules that share an input, and only those that are targets.
        shapes: of every module named.
        like: a weight of the base; gives dtype and device.
    """

    def __init__(
        self,
        spec: AdapterSpec,
        *,
        groups: Sequence[tuple[str, ...]],
        shapes: Shapes,
        like: Tensor,
    ) -> None:
        self.spec = spec
        self.groups = tuple(groups)
        size = sum(
            spec.rank * (len(group) * shapes[group[0]][1] + sum(shapes[name][0] for name in group))
            for group in groups
        )
        self.param = nn.Parameter(torch.zeros(size, dtype=like.dtype, device=like.device))
        self.grad = torch.zeros_like(self.param)
        self.down: dict[str, Tensor] = {}
        """First name of a group -> (len(group) * R, I)."""
        self.down_grad: dict[str, Tensor] = {}
        self.up: dict[str, Tensor] = {}
        """Name -> (R, O)."""
        self.up_grad: dict[str, Tensor] = {}
        at = 0
        for group in groups:
            rows, columns = len(group) * spec.rank, shapes[group[0]][1]
            self.down[group[0]], self.down_grad[group[0]] = self._views(at, rows, columns)
            at += rows * columns
            for name in group:
                self.up[name], self.up_grad[name] = self._views(at, spec.rank, shapes[name][0])
                at += spec.rank * shapes[name][0]
        self._draw()

    def _views(self, at: int, rows: int, columns: int) -> tuple[Tensor, Tensor]:
        span = slice(at, at + rows * columns)
        return self.param.detach()[span].view(rows, columns), self.grad[span].view(rows, columns)

    def _draw(self) -> None:
        generator = torch.Generator().manual_seed(self.spec.seed)
        for down in self.down.values():
            bound = 1 / math.sqrt(down.shape[1])  # as PEFT: uniform, Kaiming with a = sqrt(5)
            drawn = torch.rand(down.shape, generator=generator, dtype=torch.float64) * 2 - 1
            down.copy_(drawn * bound)

    def delta(self) -> AdapterDelta:
        """The adapter as deltas; views of the weights, not copies."""
        found: dict[str, Delta] = {}
        for group in self.groups:
            downs = self.down[group[0]].split_with_sizes([self.spec.rank] * len(group))
            for name, down in zip(group, downs, strict=True):
                found[name] = Delta(down, self.up[name].T, self.spec.scale)
        return found

    def load(self, delta: AdapterDelta) -> None:
        """Start from given deltas of the same rank and modules; another scale goes into `up`.

        Raises:
            ValueError: they are of another shape.
        """
        for name, mine in self.delta().items():
            theirs = delta.get(name)
            if theirs is None or theirs.rank != mine.rank or theirs.shape != mine.shape:
                raise ValueError(
                    f"{name}: expected an update of rank {mine.rank} and shape {mine.shape}, "
                    f"got {None if theirs is None else (theirs.rank, theirs.shape)}"
                )
            mine.down_RI.copy_(theirs.down_RI)
            mine.up_OR.copy_(theirs.up_OR * (theirs.scale / mine.scale))
