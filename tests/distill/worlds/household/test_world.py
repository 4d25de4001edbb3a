"""The household behind `World`: rates of the expert and of those who know no text."""

import random

import pytest
from skillweave.adapters.errors import SkillError
from skillweave.distill.worlds.household import WORLD
from skillweave.distill.worlds.string_skills import held_out_specs, string_skill

from .chores import sample_tasks
from .wanderer import Habit, wander

WITHOUT_TEXT = 0.15
"""Largest share of episodes of a level that one passes who knows the world and no skill."""


def test_the_expert_passes_every_episode_of_fifty_skills() -> None:
    for task in sample_tasks(50):
        episode = task.environment()
        episode.reset(0)
        num_turns = 0
        while (action := episode.expert()) is not None:
            episode.step(action)
            num_turns += 1
        assert episode.verdict().passed
        assert num_turns <= WORLD.spec.max_turns


def test_random_actions_lead_nowhere() -> None:
    passed = 0
    for seed, task in enumerate(sample_tasks(50)):
        rng = random.Random(seed)
        episode = task.environment()
        legal = episode.reset(0).legal_actions
        while legal:
            legal = episode.step(rng.choice(legal)).observation.legal_actions
        passed += episode.verdict().passed
    assert passed / 50 <= WORLD.spec.random_rate


def test_a_blind_plan_has_the_right_form_and_rarely_passes() -> None:
    rng = random.Random(0)
    passed = 0
    for task in sample_tasks(50):
        guess = WORLD.guess(task, rng)
        assert guess.startswith("go to ")
        assert task.start.goal.thing in guess
        passed += task.verify(guess).passed
    assert passed / 50 <= WORLD.spec.random_rate


@pytest.mark.slow
@pytest.mark.parametrize("habit", ["nothing", "lamps", "one fixture", "every fixture"])
def test_who_knows_the_world_and_no_text_rarely_passes_at_any_level(habit: Habit) -> None:
    rng = random.Random(habit)
    for level in WORLD.spec.levels:
        passed = [
            wander(task, habit, rng).passed
            for seed in range(30)
            for task in WORLD.tasks(WORLD.skill(level, seed=1000 + seed), "test", 4, seed=seed)
        ]
        assert 0 < sum(passed) / len(passed) <= WITHOUT_TEXT


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="level 4 does not exist in the household"):
        WORLD.skill(4, seed=0)


def test_a_skill_of_another_world_is_refused() -> None:
    other = string_skill(held_out_specs(0)[0], seed=0)
    with pytest.raises(SkillError, match="expected 'household'"):
        WORLD.tasks(other, "train", 1, seed=0)
