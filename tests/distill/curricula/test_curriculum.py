"""What holds for every sampler of tasks: weights are a distribution, resume is exact, states of
others are refused."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.adapters.errors import UsageError
from skillweave.distill.curricula import (
    CategoryCurriculum,
    GroupSeen,
    Ladder,
    NearHalf,
    SecBandit,
    Staged,
    Uniform,
    draw_categories,
)

LEVELS = ("one", "two", "three")
MAKE: dict[str, Callable[[], CategoryCurriculum]] = {
    "uniform": lambda: Uniform(categories=LEVELS),
    "sec": lambda: SecBandit(categories=LEVELS),
    "ladder": lambda: Ladder(categories=LEVELS, window=8, up=0.6, down=0.4),
    "staged": lambda: Staged(categories=LEVELS, num_steps=7),
    "near-half": lambda: NearHalf(categories=LEVELS),
}


def play(
    curriculum: CategoryCurriculum, steps: range, *, rng: np.random.Generator
) -> tuple[CategoryCurriculum, list[tuple[str, ...]]]:
    """Steps of four groups of four answers, whose rewards come from the same generator."""
    drawn = []
    for step in steps:
        drawn.append(curriculum.next(step, rng=rng, num=4))
        seen = [
            GroupSeen(name, tuple(float(one) for one in rng.integers(0, 2, 4)))
            for name in drawn[-1]
        ]
        curriculum = curriculum.observe(step, seen)
    return curriculum, drawn


@pytest.mark.parametrize("name", MAKE)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), stop=st.integers(0, 12))
def test_a_run_that_stopped_anywhere_goes_on_as_if_it_had_not(
    name: str, seed: int, stop: int
) -> None:
    rng = np.random.default_rng(seed)
    whole, all_drawn = play(MAKE[name](), range(12), rng=rng)

    rng = np.random.default_rng(seed)
    before, first = play(MAKE[name](), range(stop), rng=rng)
    kept = json.loads(json.dumps([before.state(), rng.bit_generator.state]))
    fresh = np.random.default_rng(0)
    fresh.bit_generator.state = kept[1]
    after, rest = play(MAKE[name]().restored(kept[0]), range(stop, 12), rng=fresh)
    assert (first + rest, after) == (all_drawn, whole)


@pytest.mark.parametrize("name", MAKE)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999))
def test_weights_are_a_distribution_over_the_categories(name: str, seed: int) -> None:
    curriculum, _ = play(MAKE[name](), range(6), rng=np.random.default_rng(seed))
    weights = curriculum.weights(6)
    assert tuple(weights) == LEVELS
    assert min(weights.values()) >= 0
    assert sum(weights.values()) == pytest.approx(1)


@pytest.mark.parametrize("name", MAKE)
def test_observing_leaves_the_value_as_it_was(name: str) -> None:
    curriculum = MAKE[name]()
    before = curriculum.state()
    curriculum.observe(0, [GroupSeen("one", (1.0,) * 8), GroupSeen("two", (0.0, 1.0))])
    assert curriculum.state() == before


def test_the_state_of_another_curriculum_is_refused() -> None:
    with pytest.raises(UsageError, match="none of Ladder"):
        MAKE["ladder"]().restored(MAKE["sec"]().state())
    with pytest.raises(UsageError, match=r"alpha is 0\.3 here and 0\.5 in the state"):
        MAKE["sec"]().restored(SecBandit(categories=LEVELS, alpha=0.5).state())


@pytest.mark.parametrize(
    "change",
    [{"values": {"four": 1.0}}, {"values": {"one": "much"}}, {"values": {"one": float("nan")}},
     {"odd": 1}, {"categories": ["one", "one"]}],
)  # fmt: skip
def test_a_broken_state_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="none of SecBandit"):
        MAKE["sec"]().restored({**MAKE["sec"]().state(), **change})


@pytest.mark.parametrize("name", ["sec", "ladder", "near-half"])
def test_a_category_that_nobody_has_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="'four' was seen, expected one of one, two, three"):
        MAKE[name]().observe(0, [GroupSeen("four", (1.0,))])


@pytest.mark.parametrize("rewards", [(), (float("nan"),), (1.0, float("inf"))])
def test_a_group_without_finite_rewards_is_refused(rewards: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="finite"):
        GroupSeen("one", rewards)


def test_draws_follow_the_weights_and_weight_0_never_comes() -> None:
    rng = np.random.default_rng(3)
    drawn = draw_categories({"a": 3.0, "b": 1.0, "c": 0.0}, 4000, rng=rng)
    assert drawn.count("c") == 0
    assert drawn.count("a") == pytest.approx(3000, abs=110)  # four standard errors


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}, {"a": -1.0, "b": 2.0}, {"a": float("inf")}])
def test_weights_that_are_none_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="one above 0"):
        draw_categories(weights, 1, rng=np.random.default_rng(0))


def test_uniform_is_even_whatever_was_seen() -> None:
    value = Uniform(categories=("a", "b", "c", "d"))
    seen = value.observe(0, [GroupSeen("a", (1.0, 0.0))])
    assert seen is value
    assert value.weights(9) == dict.fromkeys("abcd", 0.25)
