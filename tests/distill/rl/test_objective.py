"""The loss of a method on numbers that can be followed by hand."""

import math

import pytest
import torch
from skillweave.distill.rl.learned import Learned
from skillweave.distill.rl.objective import Objective, clipped, losses_of
from skillweave.distill.rl.settings import METHODS, RlSettings
from torch import Tensor

LN2 = math.log(2)


def learned(advantages: list[list[float]], mask: list[list[float]], **of: list[float]) -> Learned:
    """Every token drawn by the trainer itself at log-probability -1, unless it is said."""
    wide = torch.tensor(mask).double()
    ones = [1.0] * len(mask)
    return Learned(
        mask_BT=wide,
        sampler_BT=torch.full_like(wide, -1.0),
        advantages_BT=torch.tensor(advantages).double(),
        policy_B=torch.tensor(of.get("policy", ones)).double(),
        sft_B=torch.tensor(of.get("sft", [0.0] * len(mask))).double(),
    )


def logp(values: list[list[float]]) -> Tensor:
    return torch.tensor(values).double()


FOUND = learned([[1.0, 1.0], [-2.0, 0.0]], [[1, 1], [1, 0]])
OLD = logp([[-1, -1], [-1, 0]])


@pytest.mark.parametrize(
    ("method", "expected"),
    # ratios 2 and 1 at advantage 1, 1/2 at -2. Clipped above: 1.2, or 1.28; below: -2 * 0.8
    [
        ("grpo", -((1.2 + 1) / 2 - 1.6) / 2),
        ("dapo", -(1.28 + 1 - 1.6) / 3),
        ("dr_grpo", -(1.2 + 1 - 1.6) / (2 * 10)),
        ("rloo", -(2 + 1 - 1) / (2 * 10)),
    ],
)
def test_policy_losses_by_hand(method: str, expected: float) -> None:
    objective = Objective(METHODS[method], answer_tokens=10)  # type: ignore[index]
    now = logp([[-1 + LN2, -1], [-1 - LN2, 0]])
    policy, sft, far = losses_of(FOUND, now, OLD, None, objective)
    assert (float(policy), float(sft), float(far)) == pytest.approx((expected, 0, 0))


def test_weights_are_cut_at_the_cap_and_those_of_tokens_nobody_drew_are_one() -> None:
    found = learned([[1.0, 1.0, 1.0]], [[1, 1, 1]])
    found.sampler_BT.copy_(logp([[-1 - math.log(3), -1 + LN2, math.nan]]))  # 3, cut at 2; 1/2; 1
    old = logp([[-1, -1, -1]])
    policy, *_ = losses_of(found, old, old, None, Objective(METHODS["dapo"]))
    assert float(policy) == pytest.approx(-(2 + 0.5 + 1) / 3)
    policy, *_ = losses_of(found, old, old, None, Objective(METHODS["dapo"], tis_cap=4.0))
    assert float(policy) == pytest.approx(-(3 + 0.5 + 1) / 3)


def test_imitation_and_the_distance_to_the_base_by_hand() -> None:
    found = learned([[5.0], [5.0]], [[1], [1]], policy=[0.0, 0.0], sft=[1.0, 0.5])
    now, base = logp([[-1], [-3]]), logp([[-1], [-3 + LN2]])
    policy, sft, far = losses_of(found, now, now, base, Objective(METHODS["grpo"]))
    assert float(policy) == 0
    assert float(sft) == pytest.approx((1 + 1.5) / 2)
    assert float(far) == pytest.approx(0.04 * (2 - 1 - LN2) / 2)


def test_which_tokens_are_clipped() -> None:
    found = learned([[1.0, 1.0, -1.0, -1.0, 0.0, 1.0]], [[1, 1, 1, 1, 1, 0]])
    now = logp([[-1 + LN2, -1 - LN2, -1 + LN2, -1 - LN2, -1 + LN2, 9]])
    old = logp([[-1] * 6])
    assert clipped(found, now, old, METHODS["grpo"]).tolist() == [
        [True, False, False, True, False, False]
    ]
    assert not clipped(found, now, old, METHODS["rloo"]).any()


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("strange", [7.0, -1e4, math.inf, -math.inf, math.nan])
def test_what_stands_outside_the_mask_reaches_neither_loss_nor_gradient(
    method: str, strange: float
) -> None:
    objective = Objective(METHODS[method], answer_tokens=10)  # type: ignore[index]
    found = []
    for value in (0.0, strange):
        now = logp([[-1.5, -1], [-0.5, value]]).requires_grad_()
        base = logp([[-1, -2], [-1, -value]])
        loss = torch.stack(losses_of(FOUND, now, OLD, base, objective)).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        assert now.grad is not None
        assert float(now.grad[1, 1]) == 0
        found.append((float(loss.detach()), now.grad.tolist()))
    assert found[0] == found[1]


def test_an_objective_is_what_the_settings_say() -> None:
    found = Objective.of(RlSettings(method="dr_grpo", kl=0.5, tis_cap=3.0, answer_tokens=9))
    assert (found.method.kl, found.tis_cap, found.dr_length) == (0.5, 3.0, 9)
    assert Objective(METHODS["grpo"]).dr_length is None
