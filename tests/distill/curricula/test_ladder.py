"""The ladder, and levels in a fixed order: what moves it, what does not, by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from skillweave.distill.curricula import GroupSeen, Ladder, NearHalf, Staged

LEVELS = ("one", "two", "three")


def ladder(**change: Any) -> Ladder:
    return Ladder(categories=LEVELS, **{"window": 4, "up": 0.75, "down": 0.25} | change)


def seen(name: str, *rewards: float) -> list[GroupSeen]:
    return [GroupSeen(name, rewards)]


def test_up_at_the_bound_and_the_window_starts_anew() -> None:
    value = ladder().observe(0, seen("one", 1, 1, 1))
    assert (value.current, value.recent) == ("one", (True, True, True))  # not 4 answers yet
    value = value.observe(1, seen("one", 0))
    assert (value.current, value.recent) == ("two", ())  # 3 of 4


def test_down_only_below_the_bound() -> None:
    value = ladder(level=1).observe(0, seen("two", 1, 0, 0, 0))
    assert value.current == "two"  # 1 of 4 is the bound itself
    value = value.observe(1, seen("two", 0))  # the oldest answer, the pass, leaves the window
    assert (value.current, value.recent) == ("one", ())


def test_between_the_bounds_nothing_moves() -> None:
    value = ladder(level=1)
    for step in range(10):
        value = value.observe(step, seen("two", 1, 0))
    assert (value.current, len(value.recent)) == ("two", 4)


def test_the_ends_hold() -> None:
    assert ladder(level=2).observe(0, seen("three", 1, 1, 1, 1)).current == "three"
    assert ladder().observe(0, seen("one", 0, 0, 0, 0)).current == "one"


def test_answers_on_other_levels_and_part_rewards_do_not_count() -> None:
    value = ladder(level=1).observe(0, seen("one", 1, 1, 1, 1) + seen("three", 1, 1, 1, 1))
    assert (value.current, value.recent) == ("two", ())
    assert ladder().observe(0, seen("one", 0.9, 0.9, 0.9, 0.9)).level == 0
    assert ladder(pass_from=0.5).observe(0, seen("one", 0.9, 0.9, 0.9, 0.9)).level == 1


def test_lower_levels_are_rehearsed() -> None:
    assert ladder().weights(0) == {"one": 1.0, "two": 0.0, "three": 0.0}
    assert ladder(level=2).weights(0) == pytest.approx({"one": 0.1, "two": 0.1, "three": 0.8})


@settings(max_examples=40, deadline=None)
@given(
    rewards=st.lists(st.lists(st.booleans(), min_size=1, max_size=6), min_size=2, max_size=30),
)
def test_no_level_is_left_before_a_window_of_answers(rewards: list[list[bool]]) -> None:
    value, answers = ladder(), 0
    for step, group in enumerate(rewards):
        before = value
        value = value.observe(step, seen(before.current, *map(float, group)))
        answers += len(group)
        if value.level != before.level:
            assert abs(value.level - before.level) == 1
            assert answers >= value.window
            answers = 0


@pytest.mark.parametrize(
    "change", [{"up": 0.5, "down": 0.5}, {"level": 3}, {"recent": (True,) * 5}, {"window": 0}]
)
def test_settings_that_make_no_sense_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ladder(**change)


def test_stages_follow_each_other() -> None:
    rng = np.random.default_rng(0)
    forth = Staged(categories=LEVELS, num_steps=6)
    back = Staged(categories=LEVELS, num_steps=6, backward=True)
    levels = [forth.next(step, rng=rng, num=2) for step in range(8)]
    assert [pair[0] for pair in levels] == ["one", "one", "two", "two", *["three"] * 4]
    assert all(pair[0] == pair[1] for pair in levels)
    assert [back.next(step, rng=rng, num=1)[0] for step in (0, 2, 5, 9)] == [
        "three", "two", "one", "one",
    ]  # fmt: skip


def test_the_oracle_takes_the_level_nearest_to_one_half() -> None:
    oracle = NearHalf(categories=LEVELS)
    probe = seen("one", 1, 1) + seen("two", 1, 1, 1, 0) + seen("three", 0, 0, 0, 1, 0)
    oracle = oracle.observe(0, probe)
    assert oracle.rates == {"one": 1.0, "two": 0.75, "three": 0.2}
    assert oracle.next(1, rng=np.random.default_rng(0), num=3) == ("two",) * 3
    assert oracle.observe(1, seen("three", 1, 0)).weights(2)["three"] == 1.0
