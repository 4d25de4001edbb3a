"""Where one adapter's weights live: one vector, and views of it for every projection.

Owns the storage, its gradients and its first values. Up factors stand transposed, `(R, O)`, because
both of their backward products are then three times faster on a CPU; the optimiser, the norm and a
checkpoint see one vector.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ....adapters.delta import AdapterDelta, Delta
from .specs import AdapterSpec

Shapes = Mapping[str, tuple[int, int]]
"""Module name -> (out, in) features."""


@dataclass(frozen=True)
class Up:
    """The up factor of one projection: `(R, O)`, its transpose, its gradient, and the projection's
    place in its group."""

    name: str
    place: int
    value: Tensor
    value_t: Tensor
    grad: Tensor


@dataclass(frozen=True)
class Factors:
    """What an adapter adds to a group of projections that read the same input: down factors one
    under the other, `(len(ups) * R, I)`, so that one product serves them all."""

    down: Tensor
    down_t: Tensor
    down_grad: Tensor
    ups: tuple[Up, ...]
    ranks: tuple[int, ...]
    scale: float


class Weights:
    """One adapter.

    Args:
        groups: names of the modules that share an input (`q_proj k_proj v_proj`).
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
        targets = {n for group in groups for n in group if n.rpartition(".")[2] in spec.targets}
        size = sum(spec.rank * sum(shapes[name]) for name in targets)
        self.param = nn.Parameter(torch.zeros(size, dtype=like.dtype, device=like.device))
        self.grad = torch.zeros_like(self.param)
        self.factors: dict[str, Factors] = {}
        """By the first name of a group, whether or not that is a target itself."""
        at = 0
        for group in groups:
            names = [name for name in group if name in targets]
            if not names:
                continue
            rows, columns = len(names) * spec.rank, shapes[group[0]][1]
            down, down_grad = self._views(at, rows, columns)
            at += rows * columns
            ups = []
            for name in names:
                up, grad = self._views(at, spec.rank, shapes[name][0])
                ups.append(Up(name, group.index(name), up, up.t(), grad))
                at += spec.rank * shapes[name][0]
            ranks = (spec.rank,) * len(names)
            self.factors[group[0]] = Factors(
                down, down.t(), down_grad, tuple(ups), ranks, spec.scale
            )
        self._draw()

    def _views(self, at: int, rows: int, columns: int) -> tuple[Tensor, Tensor]:
        span = slice(at, at + rows * columns)
        return self.param.detach()[span].view(rows, columns), self.grad[span].view(rows, columns)

    def _draw(self) -> None:
        generator = torch.Generator().manual_seed(self.spec.seed)
        for own in self.factors.values():
            bound = 1 / math.sqrt(own.down.shape[1])  # as PEFT: uniform, Kaiming with a = sqrt(5)
            drawn = torch.rand(own.down.shape, generator=generator, dtype=torch.float64) * 2 - 1
            own.down.copy_(drawn * bound)

    def delta(self) -> AdapterDelta:
        """The adapter as deltas; views of the weights, not copies."""
        found: dict[str, Delta] = {}
        for own in self.factors.values():
            downs = own.down.split_with_sizes(own.ranks)
            for up, down in zip(own.ups, downs, strict=True):
                found[up.name] = Delta(down, up.value_t, own.scale)
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
