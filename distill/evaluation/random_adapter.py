"""A random adapter of equal norm: the control that any change of the weights does it.

Owns the draw. Pure torch: a delta in, a delta out; files are the caller's matter
(`adapters.peft_folder.deltas`). Not exported by the package, which needs no torch.

Letters: `R` rank, `I`/`O` in/out features.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...adapters.delta import AdapterDelta, Delta


def random_like(adapter: AdapterDelta, *, generator: torch.Generator) -> AdapterDelta:
    """Gaussian factors in the shapes and ranks of `adapter`, each module with the same norm.

    ||scale * up @ down||_F of every module is that of the original, so the update is as large,
    as concentrated in rank and in the same places, and points nowhere.

    Args:
        adapter: module name -> its update.
        generator: the only source of randomness.
    """
    return {name: _random(delta, generator) for name, delta in sorted(adapter.items())}


def frobenius_norm(delta: Delta) -> float:
    """||scale * up_OR @ down_RI||_F, from the two R x R Gram matrices, in float64."""
    up_OR, down_RI = delta.up_OR.double(), delta.down_RI.double()
    total = ((up_OR.T @ up_OR) * (down_RI @ down_RI.T)).sum()
    return abs(delta.scale) * float(total.clamp_min(0.0).sqrt())


def _random(delta: Delta, generator: torch.Generator) -> Delta:
    drawn = Delta(_normal(delta.down_RI, generator), _normal(delta.up_OR, generator), delta.scale)
    norm = frobenius_norm(drawn)
    ratio = frobenius_norm(delta) / norm if norm else 0.0
    up_OR = (drawn.up_OR.double() * ratio).to(delta.up_OR.dtype)
    return Delta(drawn.down_RI, up_OR, delta.scale)


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator).to(like.dtype)
