"""OPID's hindsight: which text belongs to which turn, and the term by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from skillweave.adapters.errors import UsageError
from skillweave.distill.curricula import (
    Hindsight,
    opid_term,
    random_term,
    routed,
    shuffled_hindsights,
)
from skillweave.distill.curricula.hindsight import Level

TOLD = Hindsight(episode_skill="look first", step_skills={1: "take the key", 7: "never came"})
WEIGHTS: dict[Level, float] = {"episode": 0.1, "step": 0.01}


def test_a_turns_own_skill_comes_first() -> None:
    episode, step = {"episode": "look first"}, {"step": "take the key"}
    assert routed(TOLD, 3) == (episode, step, episode)
    assert routed(TOLD, 3, mode="additive") == (episode, episode | step, episode)
    assert routed(Hindsight(), 2) == ({}, {})
    assert routed(Hindsight(episode_skill=" \n"), 1) == ({},)


def test_the_term_by_hand() -> None:
    old = [-1.0, -2.0]
    term = opid_term(old, {"episode": [-0.5, -2.0], "step": [-2.0, -1.0]}, weights=WEIGHTS)
    assert term == pytest.approx((0.1 * 0.5 - 0.01, 0.01))


@given(old=st.lists(st.floats(-9, 0), max_size=5))
def test_no_text_and_a_text_that_changes_nothing_give_0(old: list[float]) -> None:
    assert opid_term(old, {}, weights=WEIGHTS) == (0.0,) * len(old)
    assert opid_term(old, {"episode": old}, weights=WEIGHTS) == (0.0,) * len(old)


def test_scores_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="expected 2"):
        opid_term([-1.0, -1.0], {"step": [-1.0]}, weights=WEIGHTS)
    with pytest.raises(UsageError, match="a weight among"):
        opid_term([-1.0], {"step": [-1.0]}, weights={"episode": 0.1})


@pytest.mark.parametrize(
    "change",
    [
        {"step_skills": dict.fromkeys(range(6), "x")},
        {"step_skills": {-1: "x"}},
        {"episode_skill": "x" * 2001},
        {"advice": "x"},
    ],
)
def test_an_analysis_out_of_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Hindsight(**change)


def test_an_analysis_is_read_from_json() -> None:
    read = Hindsight.model_validate_json('{"episode_skill": "a", "step_skills": {"2": "b"}}')
    assert routed(read, 3)[2] == {"step": "b"}


def test_controls_keep_the_size_and_lose_the_meaning() -> None:
    rng = np.random.default_rng(0)
    analyses = [Hindsight(episode_skill=str(i)) for i in range(5)]
    moved = shuffled_hindsights(analyses, rng=rng)
    assert sorted(one.episode_skill for one in moved) == list("01234")
    assert all(a != b for a, b in zip(analyses, moved, strict=True))
    drawn = random_term([0.3, -0.4] * 2000, rng=rng)
    assert np.mean(np.square(drawn)) == pytest.approx(0.125, rel=0.1)
    assert random_term([], rng=rng) == ()
    assert random_term([0.0, 0.0], rng=rng) == (0.0, 0.0)
