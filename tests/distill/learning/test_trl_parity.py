"""Our policy loss and its gradient against TRL's `GRPOTrainer._compute_loss` on one fixed batch.

TRL is no dependency: without it these tests are skipped, and the hand-worked numbers of
`test_losses.py` stand alone.
"""

import collections
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from skillweave.distill.learning.advantages import group_normalised
from skillweave.distill.learning.losses import (
    Aggregation,
    aggregate,
    kl,
    policy_loss,
    truncated_weights,
)
from torch import Tensor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # TRL's own imports warn, about versions of vLLM too
]

MASK = torch.tensor([[1.0, 1, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]]).double()
REWARDS = torch.tensor([[1.0, 0], [0.25, 0.75]]).double()
LONGEST = 7


def numbers(seed: int, scale: float) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return -torch.rand(4, 4, generator=generator, dtype=torch.float64) * scale


class SameEverywhere:
    """TRL's accelerator on one machine."""

    num_processes = 1
    sync_gradients = True

    def gather(self, value: Tensor) -> Tensor:
        return value

    def reduce(self, value: Tensor, reduction: str) -> Tensor:
        return value


def theirs(
    logp: Tensor, inputs: dict[str, Tensor], *, kind: str, beta: float, high: float
) -> Tensor:
    """TRL's function with a trainer of one fixed batch around it."""
    trl = pytest.importorskip("trl", reason="TRL is no dependency; install trl to compare with it")
    trainer: Any = SimpleNamespace(
        _get_per_token_logps_and_entropies=lambda *_, **__: (logp, torch.zeros_like(logp), None),
        aux_loss_enabled=False, top_entropy_quantile=1.0, off_policy_mask_threshold=None,
        importance_sampling_level="token", beta=beta, loss_type=kind,
        epsilon_low=0.2, epsilon_high=high, use_vllm=True, vllm_importance_sampling_correction=True,
        args=SimpleNamespace(delta=None, use_bias_correction_kl=False, steps_per_generation=1),
        model=SimpleNamespace(training=True), current_gradient_accumulation_steps=1,
        max_completion_length=LONGEST, accelerator=SameEverywhere(), _entropy_bonus_enabled=False,
        _metrics={"train": collections.defaultdict(list)},
    )  # fmt: skip
    loss: Tensor = trl.GRPOTrainer._compute_loss(trainer, None, inputs)
    return loss


@pytest.mark.parametrize("beta", [0.0, 0.04])
@pytest.mark.parametrize(
    ("kind", "how", "high"),
    [("grpo", "sequence", 0.2), ("dapo", "token", 0.28), ("dr_grpo", "dr", 0.2)],
)
def test_loss_and_gradient(kind: str, how: Aggregation, high: float, beta: float) -> None:
    old, sampler, reference = numbers(1, 2.0), numbers(2, 2.0), numbers(3, 2.0)
    left, right = (numbers(4, 2.0).requires_grad_() for _ in range(2))
    advantages = group_normalised(REWARDS).flatten()
    weights = truncated_weights(old, sampler, MASK)
    length = LONGEST if how == "dr" else None
    ours = policy_loss(
        left, old, advantages, MASK, clip_high=high, weights=weights, how=how, dr_length=length
    ) + beta * aggregate(kl(left, reference), MASK, how, dr_length=length)
    inputs = {
        "prompt_ids": torch.zeros(4, 1), "prompt_mask": torch.ones(4, 1),
        "completion_ids": torch.zeros(4, 4), "completion_mask": MASK,
        "advantages": advantages, "old_per_token_logps": old, "ref_per_token_logps": reference,
        "importance_sampling_ratio": weights, "num_items_in_batch": MASK.sum(),
    }  # fmt: skip
    other = theirs(right, inputs, kind=kind, beta=beta, high=high)
    ours.backward()
    other.backward()
    assert float(ours.detach()) == pytest.approx(float(other.detach()), abs=1e-12)
    assert left.grad is not None
    assert right.grad is not None
    assert bool((left.grad != 0).any())
    assert torch.allclose(left.grad, right.grad, atol=1e-12)
