"""Random adapters for the small random base."""

from collections.abc import Callable

import pytest
import torch
from skillweave.adapters.delta import AdapterDelta, Delta
from skillweave.distill.rollouts.local import LocalPolicy
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

MakeDelta = Callable[..., AdapterDelta]


@pytest.fixture
def make_delta() -> MakeDelta:
    """A random adapter on every linear module of a base's layers, loud enough to be seen."""

    def make(model: nn.Module, *, seed: int, rank: int = 2, loud: float = 0.5) -> AdapterDelta:
        generator = torch.Generator().manual_seed(seed)
        linear = {n: m for n, m in model.named_modules() if isinstance(m, nn.Linear)}
        return {
            name: Delta(
                torch.randn(rank, m.in_features, generator=generator) * loud,
                torch.randn(m.out_features, rank, generator=generator) * loud,
                1.0 / rank,
            )
            for name, m in linear.items()
            if "layers" in name
        }

    return make


@pytest.fixture
def local(
    small_base: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, make_delta: MakeDelta
) -> LocalPolicy:
    """A local policy with adapters `a` and `b`, of different ranks."""
    policy = LocalPolicy(small_base, tokenizer, base_digest="d" * 64)
    policy.adapters.put("a", make_delta(small_base, seed=1))
    policy.adapters.put("b", make_delta(small_base, seed=2, rank=3))
    return policy
