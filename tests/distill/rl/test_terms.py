"""From rewards of a group to the credit of each of its rollouts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.adapters.errors import UsageError
from skillweave.distill.rl.credit import (
    PerToken,
    PerTurn,
    by_provenance,
    by_turn_tokens,
    credit_of,
)
from skillweave.distill.rl.groups import Group, Rollout
from skillweave.distill.rl.settings import AdvantageName
from skillweave.distill.rl.terms import ESTIMATORS, RewardTerm, TurnTerm, returns_to_go
from skillweave.distill.rollouts.learnable import rows_of
from skillweave.distill.rollouts.trajectory import TokenSpan

from .playing import trajectory, turn


def group(rewards: list[float], arms: str = "") -> Group:
    names = arms or "a" * len(rewards)
    played = [
        Rollout.of(trajectory(reward=reward), arm=arm)
        for reward, arm in zip(rewards, names, strict=True)
    ]
    return Group.of(played, step=0)


def test_the_estimators_by_hand() -> None:
    rewards = [1.0, 0.0, 0.0, 1.0]
    assert RewardTerm("dr_grpo")(group(rewards)) == [0.5, -0.5, -0.5, 0.5]
    thirds = pytest.approx([2 / 3, -2 / 3, -2 / 3, 2 / 3])
    assert RewardTerm("leave_one_out")(group(rewards)) == thirds
    spread = 0.5 / ((4 * 0.25 / 3) ** 0.5 + 1e-4)
    expected = pytest.approx([spread, -spread, -spread, spread])
    assert RewardTerm("group_normalised")(group(rewards)) == expected


def test_rewards_are_compared_within_an_arm_and_never_across() -> None:
    assert RewardTerm("dr_grpo")(group([1.0, 0.0, 1.0, 1.0], "abab")) == [0.0, -0.5, 0.0, 0.5]
    assert RewardTerm("leave_one_out")(group([1.0, 0.0, 0.0], "abb")) == [0.0, 0.0, 0.0]


@given(st.sampled_from(sorted(ESTIMATORS)), st.floats(0, 1), st.integers(1, 5))
def test_equal_rewards_give_exactly_nothing(name: AdvantageName, reward: float, num: int) -> None:
    assert RewardTerm(name)(group([reward] * num)) == [0.0] * num


def test_credit_of_a_turn_is_what_is_still_to_come() -> None:
    assert returns_to_go([1.0, 0.0, 2.0], 0.5) == (1.5, 1.0, 2.0)
    long = trajectory(turn((1,), (2,), reward=0.0), turn((3,), (4,), reward=1.0))
    short = trajectory(turn((1,), (2,), reward=0.5))
    found = TurnTerm("dr_grpo")(Group.of([Rollout.of(long), Rollout.of(short)], step=0))
    assert found == [PerTurn((0.25, 0.0)), PerTurn((-0.25,))]


def test_credit_reaches_the_tokens_of_its_turn_and_row() -> None:
    played = trajectory(turn((1, 2), (3,)), turn((4,), (5,)), turn((6,), (7,), continues=False))
    rows = rows_of(played)
    assert credit_of(0.5, rows, 1) == (0.5, 0.5)
    assert credit_of(PerTurn((1.0, 2.0, 3.0)), rows, 0) == (1, 1, 1, 2, 2)
    assert credit_of(PerTurn((1.0, 2.0, 3.0)), rows, 1) == (3, 3)
    tokens = PerToken(((0.1, 0.2, 0.3, 0.4, 0.5), (0.6, 0.7)))
    assert credit_of(tokens, rows, 1) == (0.6, 0.7)


def test_credit_that_does_not_fit_is_refused() -> None:
    rows = rows_of(trajectory(turn((1, 2), (3,)), turn((4,), (5,))))
    with pytest.raises(UsageError, match="credit for 1 turns, the trajectory has 2"):
        credit_of(PerTurn((1.0,)), rows, 0)
    with pytest.raises(UsageError, match=r"rows of \[2\] tokens, expected \[5\]"):
        credit_of(PerToken(((0.1, 0.2),)), rows, 0)


def test_a_prefix_is_worth_something_else_than_its_continuation() -> None:
    rows = rows_of(trajectory(turn((1, 2), (3,), forced=(TokenSpan("demo_prefix", (7, 8)),))))
    found = by_provenance(rows, {"demo_prefix": -1.0, "policy": 0.5})
    assert found == PerToken(((0.0, 0.0, -1.0, -1.0, 0.5),))


def test_numbers_of_a_turn_reach_what_was_drawn_in_it() -> None:
    played = trajectory(turn((1, 2), (3, 4)), turn((5,), (6,)), turn((7,), (8,), continues=False))
    rows = rows_of(played)
    found = by_turn_tokens(rows, [(0.1, 0.2), (0.3,), (0.4,)])
    assert found == PerToken(((0, 0, 0.1, 0.2, 0, 0.3), (0, 0.4)))
    for strange in ([(0.1,), (0.3,), (0.4,)], [(0.1, 0.2), (0.3,)]):
        with pytest.raises(UsageError, match=r"expected \["):
            by_turn_tokens(rows, strange)
