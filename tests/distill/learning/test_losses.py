"""Losses by numbers worked by hand, and the laws that tie them together."""

import math
from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.distill.learning.losses import (
    aggregate,
    dpo_loss,
    entropy,
    kl,
    policy_loss,
    sft_loss,
    token_logp,
    truncated_weights,
)
from torch import Tensor

MASK = torch.tensor([[1.0, 1, 0], [1, 1, 1]], dtype=torch.float64)


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_token_logp_reads_the_place_before() -> None:
    logits = torch.tensor([[[0.0, math.log(3)], [math.log(4), 0.0], [9.0, 9.0]]])
    logp_BT = token_logp(logits, torch.tensor([[0, 1, 0]]))
    assert logp_BT[0].tolist() == pytest.approx([0.0, math.log(3 / 4), math.log(4 / 5)])


def test_entropy_of_even_and_certain_choices() -> None:
    even, certain = torch.zeros(4), torch.tensor([0.0, -torch.inf])
    assert float(entropy(even)) == pytest.approx(math.log(4))
    assert float(entropy(certain)) == 0.0


def test_the_three_ways_to_one_loss() -> None:
    values = torch.tensor([[1.0, 3, 100], [2, 4, 6]], dtype=torch.float64)
    assert float(aggregate(values, MASK)) == pytest.approx(16 / 5)
    assert float(aggregate(values, MASK, "sequence")) == pytest.approx((2 + 4) / 2)
    assert float(aggregate(values, MASK, "dr", dr_length=10)) == pytest.approx(16 / 20)
    with pytest.raises(ValueError, match="come together"):
        aggregate(values, MASK, "dr")
    with pytest.raises(ValueError, match="come together"):
        aggregate(values, MASK, "token", dr_length=3)


def test_sft_is_the_mean_over_learned_tokens() -> None:
    logp = torch.tensor([[-1.0, -2, -99], [-3, -4, -5]], dtype=torch.float64)
    assert float(sft_loss(logp, MASK)) == pytest.approx(3.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_unified_estimator_contains_sft(seed: int) -> None:
    """Denominator the policy itself, advantage 1: the gradient of SFT."""
    left, right = (draw(seed, 2, 3).requires_grad_() for _ in range(2))
    sft_loss(left, MASK).backward()
    policy_loss(right, right.detach(), torch.ones(2).double(), MASK).backward()
    assert torch.allclose(left.grad, right.grad, atol=1e-12)


def test_clipping_by_hand() -> None:
    """Ratios 1.5 and 0.5; clipped to 1.2 and 0.8 only where that lowers the gain."""
    logp = torch.tensor([[math.log(1.5), math.log(0.5)]], dtype=torch.float64, requires_grad=True)
    ones = torch.ones(1, 2, dtype=torch.float64)
    for advantage, expected, grads in (
        (1.0, -(1.2 + 0.5) / 2, [0.0, -0.25]),
        (-1.0, (1.5 + 0.8) / 2, [0.75, 0.0]),
    ):
        logp.grad = None
        loss = policy_loss(logp, torch.zeros_like(ones), torch.tensor([advantage]).double(), ones)
        loss.backward()
        assert float(loss.detach()) == pytest.approx(expected)
        assert logp.grad[0].tolist() == pytest.approx(grads)


def test_two_bounds_and_none() -> None:
    logp = torch.tensor([[math.log(1.5), math.log(0.5)]], dtype=torch.float64)
    zero, ones = torch.zeros_like(logp), torch.ones_like(logp)
    higher = policy_loss(logp, zero, torch.ones(1).double(), ones, clip_high=0.28)
    free = policy_loss(logp, zero, torch.ones(1).double(), ones, clip_low=None, clip_high=None)
    assert float(higher) == pytest.approx(-(1.28 + 0.5) / 2)
    assert float(free) == pytest.approx(-1.0)


def test_nothing_under_the_mask_counts_be_it_infinite() -> None:
    logp = torch.tensor([[-1.0, -torch.inf]], dtype=torch.float64, requires_grad=True)
    denom = torch.tensor([[-1.0, torch.nan]], dtype=torch.float64)
    mask = torch.tensor([[1.0, 0]], dtype=torch.float64)
    loss = policy_loss(logp, denom, torch.tensor([[2.0, torch.nan]]).double(), mask)
    loss.backward()
    assert float(loss.detach()) == -2.0
    assert logp.grad.tolist() == [[-2.0, 0.0]]
    assert float(sft_loss(logp, mask).detach()) == 1.0


def test_zero_advantages_give_zero_gradient() -> None:
    logp = draw(3, 2, 3).requires_grad_()
    policy_loss(logp, draw(4, 2, 3), torch.zeros(2).double(), MASK).backward()
    assert torch.equal(logp.grad, torch.zeros_like(logp))


def test_importance_weights_are_cut_at_the_limit() -> None:
    trainer = torch.log(torch.tensor([[0.9, 0.2, 0.5]]))
    sampler = torch.log(torch.tensor([[0.3, 0.4, torch.nan]]))
    weights = truncated_weights(trainer, sampler, torch.ones(1, 3))
    assert weights[0].tolist() == pytest.approx([2.0, 0.5, 1.0])
    assert float(truncated_weights(trainer, sampler, torch.ones(1, 3), limit=5.0)[0, 0]) == (
        pytest.approx(3.0)
    )


def test_estimators_of_kl_by_hand_and_in_expectation() -> None:
    half = torch.log(torch.tensor([[0.5]])), torch.log(torch.tensor([[0.25]]))
    d = math.log(0.5)
    for kind, expected in (("k1", -d), ("k2", d * d / 2), ("k3", 0.5 - 1 - d)):
        assert float(kl(*half, kind=kind)) == pytest.approx(expected, abs=1e-6)
    policy, reference = torch.tensor([[0.7, 0.3]]), torch.tensor([[0.4, 0.6]])
    true = float((policy * (policy / reference).log()).sum())
    for kind in ("k1", "k3"):
        drawn = kl(policy.log(), reference.log(), kind=kind)
        assert float((policy * drawn).sum()) == pytest.approx(true, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_k3_is_never_negative_and_zero_where_both_agree(seed: int) -> None:
    logp, ref = draw(seed, 2, 3), draw(seed + 1, 2, 3)
    assert bool((kl(logp, ref) >= 0).all())
    assert torch.equal(kl(logp, logp), torch.zeros_like(logp))


def preference(*, normalise: bool) -> float:
    """Chosen gains 0.5 on each of 2 tokens, rejected 0.25 on each of 3."""
    chosen, rejected = torch.full((1, 2), 0.5).double(), torch.full((1, 3), 0.25).double()
    return float(
        dpo_loss(
            chosen, rejected, chosen * 0, rejected * 0, chosen_mask=torch.ones(1, 2).double(),
            rejected_mask=torch.ones(1, 3).double(), beta=0.4, normalise=normalise,
        )
    )  # fmt: skip


def test_dpo_by_sums_and_by_means() -> None:
    assert preference(normalise=False) == pytest.approx(math.log1p(math.exp(-0.4 * 0.25)))
    assert preference(normalise=True) == pytest.approx(math.log1p(math.exp(-0.4 * 0.25)))
    chosen, rejected = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.25, 0.25, 0.25, 9.0]])
    marks = torch.tensor([[1.0, 1, 1, 0]])
    masks = {"chosen_mask": torch.ones(1, 2), "rejected_mask": marks}
    summed = dpo_loss(chosen, rejected, chosen * 0, rejected * 0, beta=1.0, **masks)
    meant = dpo_loss(chosen, rejected, chosen * 0, rejected * 0, beta=1.0, normalise=True, **masks)
    assert float(summed) == pytest.approx(math.log1p(math.exp(-(1.0 - 0.75))))
    assert float(meant) == pytest.approx(math.log1p(math.exp(-(0.5 - 0.25))))


def test_dpo_without_preference_is_log_two() -> None:
    logp = draw(1, 2, 3)
    same = dpo_loss(logp, logp, logp, logp, chosen_mask=MASK, rejected_mask=MASK)
    assert float(same) == pytest.approx(math.log(2))


@pytest.mark.parametrize("kind", ["k1", "k2", "k3"])
def test_kl_outside_the_mask_has_no_value_and_no_gradient(kind: Literal["k1", "k2", "k3"]) -> None:
    """A prompt that the policy finds 200 nats less likely than the base overflows `exp`."""
    logp = torch.tensor([[-201.0, -1.0]], requires_grad=True)
    mask = torch.tensor([[0.0, 1.0]])
    each = kl(logp, torch.tensor([[-1.0, -2.0]]), mask, kind=kind)
    assert each[0, 0].item() == 0
    aggregate(each, mask).backward()
    assert logp.grad is not None
    assert float(logp.grad[0, 0]) == 0
    by_hand = {"k1": 1.0, "k2": 1.0, "k3": 1 - math.exp(-1)}  # d = -1: -d, d^2/2, e^d - 1 - d
    assert float(logp.grad[0, 1]) == pytest.approx(by_hand[kind])
