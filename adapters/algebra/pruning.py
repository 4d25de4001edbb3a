"""Setting entries to zero by their size. Pure."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def keep_above(
    block_NHI: Float[Tensor, "N H I"], limits: Sequence[float]
) -> Float[Tensor, "N H I"]:
    """Zero what is smaller than its adapter's limit. **The block is overwritten.**"""
    for part_HI, limit in zip(block_NHI, limits, strict=True):
        if limit > 0.0:
            below = _next_below(limit, part_HI.dtype)
            torch.hardshrink(part_HI, below, out=part_HI)
    return block_NHI


def _next_below(limit: float, dtype: torch.dtype) -> float:
    """The largest number below `limit`, so that a strict comparison keeps the limit itself."""
    if math.isinf(limit):
        return limit
    return float(torch.nextafter(torch.tensor(limit, dtype=dtype), torch.tensor(0.0, dtype=dtype)))
