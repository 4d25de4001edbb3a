"""Advantages of answers that somebody else began, by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.adapters.errors import UsageError
from skillweave.distill.curricula import (
    HybridCredit,
    adhint_credit,
    hint_weights,
    most_uncertain,
    prefix_credit,
)

REWARDS = st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=1, max_size=8)


def test_prefix_rft_by_hand() -> None:
    # one hybrid answer: its prefix against the ordinary mean 1/4, its own part nothing (v2)
    assert prefix_credit([1, 0, 0, 0], [1]) == (HybridCredit(0.75, 0.0),)
    # two that share a prefix: each part of half the weight, and one against the other
    assert prefix_credit([1, 0, 0, 0], [1, 0]) == (
        HybridCredit(0.375, 0.5),
        HybridCredit(-0.125, -0.5),
    )
    assert prefix_credit([0, 0], []) == ()
    with pytest.raises(UsageError, match="0 ordinary"):
        prefix_credit([], [1])


@given(ordinary=REWARDS, hybrid=REWARDS)
def test_a_prefix_gets_what_its_answers_have_over_the_ordinary_ones(
    ordinary: list[float], hybrid: list[float]
) -> None:
    credit = prefix_credit(ordinary, hybrid)
    over = sum(hybrid) / len(hybrid) - sum(ordinary) / len(ordinary)
    assert sum(one.prefix for one in credit) == pytest.approx(over, abs=1e-12)
    assert sum(one.continuation for one in credit) == pytest.approx(0, abs=1e-12)


def test_the_most_uncertain_tokens_keep_their_gradient() -> None:
    entropies = [0.1, 2.0, 0.5, 2.0, 0.0]
    assert most_uncertain(entropies) == (False, True, False, False, False)
    assert most_uncertain(entropies, 0.41) == (False, True, True, True, False)  # ceil(2.05)
    assert all(most_uncertain(entropies, 1))
    assert not any(most_uncertain(entropies, 0))
    assert most_uncertain([]) == ()
    with pytest.raises(UsageError, match="share of 2"):
        most_uncertain(entropies, 2)


def test_adhint_by_hand() -> None:
    credit = adhint_credit([1, 0, 0, 0], [1, 1, 0, 0])  # p_N = 1/4, p_H = 1/2, g = 1/4
    assert credit.naive == (0.75 * 1.375, -0.25, -0.25, -0.25)
    assert credit.hinted == (0.5 * 0.875, 0.5 * 0.875, -0.5 * 1.125, -0.5 * 1.125)
    # a hint that does not help changes nothing
    assert adhint_credit([1, 0], [1, 0, 0, 0]).hinted == (0.75, -0.25, -0.25, -0.25)


def test_where_nothing_passes_without_a_hint_only_the_hinted_answers_teach() -> None:
    credit = adhint_credit([0, 0, 0], [1, 0])
    assert credit.naive == (0.0, 0.0, 0.0)
    assert credit.hinted == (0.375, -0.625)


@given(naive=REWARDS, hinted=REWARDS)
def test_adhint_keeps_signs_and_zeros(naive: list[float], hinted: list[float]) -> None:
    credit = adhint_credit(naive, hinted)
    for rewards, values in [(naive, credit.naive), (hinted, credit.hinted)]:
        mean = sum(rewards) / len(rewards)
        for reward, value in zip(rewards, values, strict=True):
            if len(set(rewards)) == 1:
                assert value == 0
            elif abs(reward - mean) > 1e-12:
                assert (value > 0) == (reward > mean)


def test_hint_tokens_lose_gradient_where_they_differ_from_the_continuation() -> None:
    weights = hint_weights([1.0, 3.0, 0.0], [0.5, 1.5], advantage=0.2)
    assert weights == pytest.approx((1.0, math.exp(-2), math.exp(-1)))
    assert hint_weights([1.0, 3.0], [1.0], advantage=-0.1) == (0.0, 0.0)
    assert hint_weights([0.0, 3.0], [0.0], advantage=0.1) == (1.0, 0.0)
    assert hint_weights([0.0, 3.0], [], advantage=0.1) == (1.0, 0.0)
