"""Small adapters for the tests of the algebra."""

from collections.abc import Mapping, Sequence

import torch
from skillweave.adapters.delta import AdapterDelta, Delta
from torch import Tensor

SHAPES: Mapping[str, tuple[int, int]] = {"layers.0.q_proj": (12, 8), "layers.0.down_proj": (8, 20)}


def random_delta(
    seed: int,
    *,
    rank: int = 2,
    scale: float = 1.0,
    dtype: torch.dtype = torch.float32,
    shapes: Mapping[str, tuple[int, int]] = SHAPES,
) -> AdapterDelta:
    """Gaussian factors of one rank."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    return {n: Delta(draw(rank, i), draw(o, rank), scale) for n, (o, i) in shapes.items()}


def dense(delta: AdapterDelta) -> dict[str, Tensor]:
    """Every module in full, float64."""
    return {n: m.scale * (m.up_OR.double() @ m.down_RI.double()) for n, m in delta.items()}


def dense_sum(deltas: Sequence[AdapterDelta], weights: Sequence[float]) -> dict[str, Tensor]:
    """The weighted sum by the definition."""
    total: dict[str, Tensor] = {}
    for delta, weight in zip(deltas, weights, strict=True):
        for name, value in dense(delta).items():
            total[name] = total.get(name, torch.zeros_like(value)) + weight * value
    return total


def distance(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> float:
    """Frobenius distance over all modules."""
    assert a.keys() == b.keys()
    return float(sum((a[n] - b[n]).square().sum() for n in a)) ** 0.5


def size(a: Mapping[str, Tensor]) -> float:
    """Frobenius norm over all modules."""
    return float(sum(value.square().sum() for value in a.values())) ** 0.5
