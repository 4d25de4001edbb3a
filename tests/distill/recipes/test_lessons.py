"""Rows without a teacher, skills that were taught badly, and requests that fit a budget."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.adapters.skills import Skill
from skillweave.distill.demonstrations import Demonstration, Yield
from skillweave.distill.evaluation import Budget, BudgetExceeded
from skillweave.distill.preflight import TextGain
from skillweave.distill.recipes.drawing import draw_items, draw_skills
from skillweave.distill.recipes.lessons import expert_rows, requests_within, taught_badly
from skillweave.distill.skill_training import Lesson, SkillTraining
from skillweave.distill.worlds.checkers import worlds

from ..worlds.playing import need

SMALL = SkillTraining(num_requests=8, preflight_requests=2, min_demonstrations=3)
ONE_TURN = [name for name, world in worlds().items() if world.spec.max_turns == 1]


@pytest.mark.parametrize("name", ONE_TURN)
def test_a_world_of_one_turn_has_rows_without_a_teacher(name: str, tmp_path: Path) -> None:
    world = need(name)
    skills = draw_skills(name, world.spec.levels[:2], folder=tmp_path, seed=1)
    tasks = draw_items(name, skills, num_items=3, seed=1, split="train")
    rows = expert_rows(tasks)
    assert [row.task_id for row in rows] == [task.id for task in tasks]
    for task, row in zip(tasks, rows, strict=True):
        assert task.verify(row.answer).passed
        assert row.messages == task.messages  # the text of the skill is not among them


def test_a_plan_of_several_turns_is_no_row(tmp_path: Path) -> None:
    skills = draw_skills("household", (1,), folder=tmp_path, seed=1)
    tasks = draw_items("household", skills, num_items=1, seed=1)
    with pytest.raises(UsageError, match="no reference answer in one turn"):
        expert_rows(tasks)


def lesson(skill: Skill, *, kept: int, asked: int) -> Lesson:
    rows = tuple(Demonstration(str(number), (), "final: b") for number in range(kept))
    return Lesson(
        skill, rows, TextGain(1.0, 0.0, 2), Yield(asked, asked - kept, 0, 0, 0), wall_s=0.1
    )


def test_a_skill_that_was_taught_badly_is_spoken_of(skill: Skill) -> None:
    other = replace(skill, name="other")
    given = [lesson(skill, kept=3, asked=8), lesson(other, kept=2, asked=8)]
    assert taught_badly(given, SMALL) == (
        "other: 2 of 8 demonstrations verified, fewer than the 3 wanted",
    )
    assert taught_badly([lesson(skill, kept=1, asked=8)], SMALL) == (
        f"{skill.name}: 1 of 8 demonstrations verified, so no adapter; its arm asks the base",
    )


def test_a_budget_is_shared_out_evenly_and_never_overrun() -> None:
    rng = random.Random(0)
    for _ in range(100):
        num_skills, limit = rng.randint(1, 6), rng.randint(1, 400)
        budget = Budget({"rollouts": limit})
        try:
            config = requests_within(SMALL, budget, num_skills=num_skills)
        except BudgetExceeded:
            assert limit < num_skills * (8 + 2 * 2)
            continue
        assert config.num_requests == 8 <= limit // num_skills - 2 * 2
    wide = SMALL.model_copy(update={"num_requests": 100})
    found = requests_within(wide, Budget({"rollouts": 90}), num_skills=3)
    assert found.num_requests == 26  # 3 * (26 + 2 * 2) = 90
    assert requests_within(wide, Budget({"tokens": 5}), num_skills=3) is wide
