"""Advantages by numbers worked by hand, and the law of equal rewards."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.distill.learning.advantages import (
    dr_grpo,
    group_normalised,
    is_informative,
    leave_one_out,
    over_baseline,
)

REWARDS = torch.tensor([[1.0, 0, 0, 1], [2, 2, 2, 2], [0, 0, 0, 4]])
GROUPWISE = (group_normalised, dr_grpo, leave_one_out)


def test_group_normalised_by_hand() -> None:
    out = group_normalised(REWARDS, eps=0.0)
    std = (4 * 0.25 / 3) ** 0.5
    assert out[0].tolist() == pytest.approx([0.5 / std, -0.5 / std, -0.5 / std, 0.5 / std])
    assert group_normalised(REWARDS, by_std=False)[2].tolist() == [-1, -1, -1, 3]


def test_dr_grpo_keeps_the_spread() -> None:
    assert dr_grpo(REWARDS).tolist() == [[0.5, -0.5, -0.5, 0.5], [0] * 4, [-1, -1, -1, 3]]


def test_leave_one_out_is_the_reward_less_the_mean_of_the_others() -> None:
    expected = [1 - 1 / 3, 0 - 2 / 3, 0 - 2 / 3, 1 - 1 / 3]
    assert leave_one_out(REWARDS)[0].tolist() == pytest.approx(expected)
    assert leave_one_out(REWARDS)[2].tolist() == pytest.approx([-4 / 3] * 3 + [4])
    with pytest.raises(ValueError, match="groups of 1 answers"):
        leave_one_out(torch.ones(2, 1))


def test_a_baseline_is_the_batch_mean_a_number_or_one_a_prompt() -> None:
    rewards = torch.tensor([[1.0, 3], [5, 7]])
    assert over_baseline(rewards).tolist() == [[-3, -1], [1, 3]]
    assert over_baseline(rewards, 1.0).tolist() == [[0, 2], [4, 6]]
    assert over_baseline(rewards, torch.tensor([1.0, 5])).tolist() == [[0, 2], [0, 2]]


def test_which_groups_say_something() -> None:
    assert is_informative(REWARDS).tolist() == [True, False, True]


@settings(max_examples=50, deadline=None)
@given(st.floats(-1e3, 1e3, width=32), st.integers(2, 9))
def test_equal_rewards_give_exactly_zero(reward: float, size: int) -> None:
    """Also where the mean of equal numbers rounds to another number."""
    rewards = torch.full((2, size), reward)
    for advantage in GROUPWISE:
        assert torch.equal(advantage(rewards), torch.zeros(2, size))
    assert torch.equal(group_normalised(rewards, eps=0.0), torch.zeros(2, size))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=8), st.integers(-3, 3))
def test_advantages_sum_to_zero_and_ignore_a_shift(values: list[int], shift: int) -> None:
    rewards = torch.tensor([values], dtype=torch.float64)
    for advantage in GROUPWISE:
        out = advantage(rewards)
        assert float(out.sum()) == pytest.approx(0, abs=1e-9)
        assert torch.allclose(out, advantage(rewards + shift), atol=1e-9)


def test_one_answer_a_group_has_nothing_to_be_compared_with() -> None:
    assert group_normalised(torch.tensor([[3.0]])).tolist() == [[0.0]]
