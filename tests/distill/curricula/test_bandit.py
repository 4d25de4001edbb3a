"""SEC's bandit: the reward of an arm, TD(0) and Boltzmann by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.distill.curricula import GroupSeen, SecBandit, absolute_advantages, shuffled


def test_absolute_advantages_by_hand() -> None:
    # mean 1/4, spread sqrt(3)/4: three answers at 1/sqrt(3), one at sqrt(3)
    root = math.sqrt(3)
    assert absolute_advantages([1, 0, 0, 0]) == pytest.approx([root, 1 / root, 1 / root, 1 / root])
    assert absolute_advantages([1, 0, 0, 0], by_std=False) == [0.75, 0.25, 0.25, 0.25]
    assert absolute_advantages([0.1] * 3) == [0.0] * 3


@given(passed=st.integers(0, 16), failed=st.integers(0, 16))
def test_their_mean_is_the_papers_function_of_the_pass_rate(passed: int, failed: int) -> None:
    if passed + failed == 0:
        return
    rewards = [1.0] * passed + [0.0] * failed
    p = passed / len(rewards)
    by_std = sum(absolute_advantages(rewards)) / len(rewards)
    plain = sum(absolute_advantages(rewards, by_std=False)) / len(rewards)
    assert by_std == pytest.approx(2 * math.sqrt(p * (1 - p)), abs=1e-12)
    assert plain == pytest.approx(2 * p * (1 - p), abs=1e-12)


def test_two_steps_by_hand() -> None:
    bandit = SecBandit(categories=("a", "b"), alpha=0.5, temperature=0.5, floor=0.1, by_std=False)
    assert bandit.weights(0) == {"a": 0.5, "b": 0.5}
    # a: groups of mean |A| 1/2 and 0, the one of equal rewards counted: r = 1/4, Q = 1/8
    bandit = bandit.observe(0, [GroupSeen("a", (1, 0)), GroupSeen("a", (1, 1))])
    assert bandit.values == {"a": 0.125}
    # b: r = 1/2, Q = 1/4; a was not seen and keeps its value
    bandit = bandit.observe(1, [GroupSeen("b", (0, 1))])
    assert bandit.values == {"a": 0.125, "b": 0.25}
    share = 1 / (1 + math.exp(0.25))  # exp(1/8 / 0.5) against exp(1/4 / 0.5)
    assert bandit.weights(2)["a"] == pytest.approx(0.9 * share + 0.05)
    bandit = bandit.observe(2, [GroupSeen("b", (0, 0))])
    assert bandit.values == {"a": 0.125, "b": 0.125}


def test_groups_count_by_their_answers() -> None:
    bandit = SecBandit(categories=("a",), alpha=1, by_std=False)
    bandit = bandit.observe(0, [GroupSeen("a", (1, 0)), GroupSeen("a", (0,) * 6)])
    assert bandit.values["a"] == 0.125  # 2 answers of 1/2 among 8


def test_nothing_starves() -> None:
    bandit = SecBandit(categories=tuple("abcd"), temperature=1e-3, values={"a": 1.0})
    assert bandit.weights(0)["b"] == pytest.approx(0.05 / 4)
    assert bandit.weights(0)["a"] == pytest.approx(0.95 + 0.05 / 4)


def test_it_goes_to_what_can_be_learned() -> None:
    # easy passes always, hard never, the middle half of the time
    bandit = SecBandit(categories=("easy", "middle", "hard"))
    for step in range(20):
        bandit = bandit.observe(
            step,
            [GroupSeen("easy", (1,) * 4), GroupSeen("middle", (0, 1) * 2), GroupSeen("hard", (0,))],
        )
    weights = bandit.weights(20)
    assert weights["middle"] > 0.9
    assert weights["easy"] == weights["hard"]


def test_shuffled_rewards_keep_every_group_and_every_slot() -> None:
    seen = [GroupSeen(name, (float(i), 0.0)) for i, name in enumerate("aabbcc")]
    moved = shuffled(seen, rng=np.random.default_rng(1))
    assert [one.category for one in moved] == list("aabbcc")
    assert sorted(one.rewards for one in moved) == [one.rewards for one in seen]
    assert list(moved) != seen
