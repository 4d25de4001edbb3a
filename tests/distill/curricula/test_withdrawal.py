"""SKILL0's withdrawal: budgets, ranks by gain and re-entry by hand; schedules."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from skillweave.adapters.errors import UsageError
from skillweave.distill.bank.utility import Pair, PairedResults
from skillweave.distill.curricula import (
    Curriculum,
    SkillGain,
    Withdrawal,
    compression_bonus,
    decay,
    family_gain,
    linear_budgets,
    phase_of,
    random_gains,
)

SKILLS = ("g", "a", "b", "c", "d", "e")


def gains(told: Mapping[str, float]) -> list[SkillGain]:
    return [SkillGain(name, gain) for name, gain in told.items()]


def withdrawal(**change: Any) -> Withdrawal:
    return Withdrawal(**{"skills": SKILLS, "budgets": (6, 3, 0), "num_steps": 9} | change)


def test_decay_by_hand() -> None:
    assert [decay(t, num_steps=5, shape="linear") for t in range(7)] == [
        1,
        0.75,
        0.5,
        0.25,
        0,
        0,
        0,
    ]
    half = [decay(t, num_steps=5) for t in range(5)]
    root = math.sqrt(0.5)
    assert half == pytest.approx([1, (1 + root) / 2, 0.5, (1 - root) / 2, 0])
    assert decay(99, num_steps=5, shape="constant") == 1
    assert decay(0, num_steps=1) == 1
    with pytest.raises(UsageError, match="step -1 of 5"):
        decay(-1, num_steps=5)


def test_phases_and_linear_budgets_by_hand() -> None:
    assert [phase_of(t, num_steps=7, num_phases=3) for t in range(9)] == [0, 0, 0, 1, 1, 2, 2, 2, 2]
    assert linear_budgets(6, 3) == (6, 3, 0)  # the paper's own
    assert linear_budgets(5, 3) == (5, 3, 0)  # and the other one
    assert linear_budgets(6, 5) == (6, 5, 3, 2, 0)  # 6, 4.5, 3, 1.5, 0, rounded up
    with pytest.raises(UsageError, match="at least 2"):
        linear_budgets(6, 1)


def test_a_run_by_hand() -> None:
    value = withdrawal(general="g")
    assert value.shown(0) == SKILLS
    # c hurts and leaves at once, although there is room for it
    value = value.observe(1, gains({"a": 0.1, "b": 0.3, "c": -0.01, "d": 0.0, "e": 0.2}))
    assert value.shown(2) == ("g", "b", "e", "a", "d")
    # the second phase has 3 places: the general one and the two that still give most
    value = value.observe(2, gains({"a": 0.4, "b": 0.1, "d": 0.0, "e": 0.2}))
    assert value.shown(3) == ("g", "a", "e")
    value = value.observe(4, gains({"a": 0.0, "e": 0.05}))
    assert value.shown(5) == ("g", "e", "a")
    assert value.shown(6) == ()
    assert value.next(5, rng=np.random.default_rng(0), num=2) == (("g", "e", "a"),) * 2


def test_a_budget_falls_also_where_nobody_measured() -> None:
    assert withdrawal().shown(3) == ("g", "a", "b")
    assert withdrawal(budgets=(0,)).shown(0) == ()
    assert withdrawal(budgets=(6,)).shown(8) == SKILLS
    assert withdrawal(general="c", budgets=(1,)).shown(0) == ("c",)


def test_what_has_left_comes_back_only_by_reentry() -> None:
    first = gains({"g": 0.1, "a": -1, "b": 0.2, "c": 0.3, "d": 0.4, "e": 0.5})
    second = gains({"g": 0.1, "a": 1, "b": 0.2, "c": 0.3, "d": 0.4, "e": 0.5})
    for reentry, shown in [(False, ("e", "d", "c")), (True, ("a", "e", "d"))]:
        value = withdrawal(reentry=reentry).observe(0, first).observe(2, second)
        assert value.shown(3) == shown


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 999), phases=st.integers(2, 6), general=st.sampled_from([None, "g"]))
def test_texts_only_leave_and_the_budget_holds(seed: int, phases: int, general: str | None) -> None:
    rng = np.random.default_rng(seed)
    budgets = linear_budgets(len(SKILLS), phases)
    value = withdrawal(budgets=budgets, num_steps=12, general=general)
    before = set(SKILLS)
    for step in range(12):
        shown = value.shown(step)
        assert set(shown) <= before
        assert len(shown) <= budgets[phase_of(step, num_steps=12, num_phases=phases)]
        before = set(shown)
        if rng.random() < 0.5:
            told = gains({n: float(rng.normal()) for n in shown if n != general})
            value = value.observe(step, told)
        value = withdrawal(budgets=budgets, num_steps=12, general=general).restored(
            json.loads(json.dumps(value.state()))
        )
    assert value.shown(12) == ()


def test_gains_that_do_not_fit_are_refused() -> None:
    value = withdrawal(general="g")
    all_but_g = dict.fromkeys("abcde", 0.1)
    with pytest.raises(UsageError, match="each of"):
        value.observe(0, gains({"a": 0.1}))
    with pytest.raises(UsageError, match="each of"):
        value.observe(0, [*gains(all_but_g), SkillGain("a", 0.2)])
    with pytest.raises(UsageError, match="'z' was seen"):
        value.observe(0, gains(all_but_g | {"z": 0.1}))
    with pytest.raises(UsageError, match="finite"):
        SkillGain("a", float("nan"))


@pytest.mark.parametrize(
    "change",
    [{"budgets": ()}, {"budgets": (-1,)}, {"budgets": (1, 2)}, {"general": "z"}, {"order": ("z",)}],
)
def test_settings_that_make_no_sense_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        withdrawal(**change)


def test_the_gain_of_a_text_counts_task_types_alike() -> None:
    pairs = [("x", 0.0, 1.0), ("x", 1.0, 1.0), ("x", 0.0, 1.0), ("x", 0.0, 0.0), ("y", 1.0, 0.0)]
    results = PairedResults(tuple(Pair(str(i), 0, f, r, c) for i, (f, r, c) in enumerate(pairs)))
    assert family_gain(results) == -0.25  # 2/4 in x, -1 in y; over all pairs it would be +1/5


def test_random_gains_withdraw_in_random_order() -> None:
    rng = np.random.default_rng(0)
    first = {withdrawal().observe(0, random_gains(SKILLS, rng=rng)).shown(1)[0] for _ in range(60)}
    assert first == set(SKILLS)


def test_a_short_prompt_is_worth_a_little_to_a_success() -> None:
    bonus = compression_bonus(200, 50, passed=True, step=7)
    assert bonus == pytest.approx(0.01 * math.log(4))
    assert compression_bonus(200, 50, passed=True, step=6) == 0
    assert compression_bonus(200, 50, passed=False, step=7) == 0
    assert compression_bonus(200, 200, passed=True, step=15) == 0
    with pytest.raises(UsageError, match="from 1"):
        compression_bonus(10, 11, passed=True, step=0)


def test_it_is_a_curriculum() -> None:
    value: Curriculum[SkillGain, tuple[str, ...]] = withdrawal()
    assert value.observe(0, []) is value
