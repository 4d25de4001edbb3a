"""Shares of a demonstration: Prefix-RFT's schedule, ADHint's length, and what is forced."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from skillweave.adapters.errors import UsageError
from skillweave.distill.curricula import (
    Curriculum,
    HintRule,
    PrefixShares,
    difficulty,
    group_prefixes,
    shown_prefix,
)
from skillweave.distill.rollouts.prefixes import Decision, Forced
from skillweave.distill.worlds.types import Observation


def decision(number: int = 0, expert: str | None = "abcdefghij") -> Decision:
    """A decision whose tokens are bytes."""
    return Decision(number, Observation(()), expert, lambda text: tuple(text.encode()))


def test_bounds_by_hand() -> None:
    value = PrefixShares(num_steps=5)
    assert value.bounds(0) == (0.95, 0.95)
    assert value.bounds(1)[0] == pytest.approx(0.95 * (1 + math.sqrt(0.5)) / 2)
    assert value.bounds(2)[0] == pytest.approx(0.475)
    assert value.bounds(4) == value.bounds(9) == (0.0, 0.95)
    assert PrefixShares(num_steps=5, shape="linear", low=0.15).bounds(1)[0] == pytest.approx(0.75)
    assert PrefixShares(num_steps=5, shape="constant").bounds(0) == (0.0, 0.95)
    assert value.next(0, rng=np.random.default_rng(0), num=2) == (0.95, 0.95)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 99), step=st.integers(0, 20))
def test_shares_lie_within_the_bounds_and_a_resumed_run_draws_the_same(
    seed: int, step: int
) -> None:
    value: Curriculum[object, float] = PrefixShares(num_steps=20)
    shares = value.next(step, rng=np.random.default_rng(seed), num=5)
    low, high = PrefixShares(num_steps=20).bounds(step)
    assert all(low <= share <= high < 1 for share in shares)
    again = PrefixShares(num_steps=20).restored(json.loads(json.dumps(value.state())))
    assert again.observe(step, []).next(step, rng=np.random.default_rng(seed), num=5) == shares


def test_a_hint_is_as_long_as_the_task_is_hard() -> None:
    rule, rng = HintRule(noise=0), np.random.default_rng(0)
    assert difficulty([1, 0, 0, 0]) == 0.75
    assert rule.share([0, 0, 0, 0], rng=rng) == pytest.approx(0.8)
    assert rule.share([1, 0, 0, 0], rng=rng) == pytest.approx(0.7 * 0.75 + 0.1)
    assert rule.share([1, 1, 0, 0], rng=rng) == 0  # half of them pass without
    assert HintRule(noise=0, no_hint_from=2).share([1, 1], rng=rng) == pytest.approx(0.1)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 99), passed=st.integers(0, 3))
def test_noise_stays_in_the_range_and_takes_one_draw_always(seed: int, passed: int) -> None:
    rng, other = np.random.default_rng(seed), np.random.default_rng(seed)
    rewards = [1.0] * passed + [0.0] * (8 - passed)
    assert 0.1 <= HintRule(noise=1).share(rewards, rng=rng) <= 0.8
    HintRule().share([1.0], rng=other)
    assert rng.random() == other.random()


@pytest.mark.parametrize("rewards", [[], [1.5], [-0.1, 1.0], [float("nan")]])
def test_rewards_that_are_no_difficulty_are_refused(rewards: list[float]) -> None:
    with pytest.raises(UsageError, match=r"all in \[0, 1\]"):
        HintRule().share(rewards, rng=np.random.default_rng(0))


def test_what_stands_before_the_policys_own_tokens() -> None:
    plan = shown_prefix(0.35)
    assert plan(decision()) == Forced(tuple(b"abc"), "hint")  # floor(3.5)
    assert shown_prefix(0.35, "demo_prefix")(decision()) == Forced(tuple(b"abc"), "demo_prefix")
    assert plan(decision(number=1)) is None
    assert plan(decision(expert=None)) is None
    assert shown_prefix(0.05)(decision()) is None


def test_a_group_has_ordinary_answers_first_and_one_hybrid() -> None:
    plans = group_prefixes(4, [0.5])
    assert plans[:3] == (None, None, None)
    assert plans[3] is not None
    assert plans[3](decision()) == Forced(tuple(b"abcde"), "demo_prefix")
    with pytest.raises(UsageError, match="1 prefixes in a group of 1"):
        group_prefixes(1, [0.5])


@pytest.mark.parametrize("change", [{"high": 1.0}, {"low": 0.96}, {"num_steps": 0}])
def test_schedules_that_make_no_sense_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PrefixShares(**{"num_steps": 3} | change)
    with pytest.raises(ValidationError):
        HintRule(least=0.9)
