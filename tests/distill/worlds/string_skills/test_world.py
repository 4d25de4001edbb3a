"""The string world behind `World`: levels, held-out skills, and refusals."""

import random

import pytest
from skillweave.adapters.errors import SkillError
from skillweave.adapters.skills import writing_problems
from skillweave.distill.worlds.metadata import CHECKER_KEY
from skillweave.distill.worlds.string_skills import WORLD, SkillSpec, is_held_out


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("held_out", [True, False])
def test_a_skill_of_every_level_can_be_drawn_asked_and_answered(level: int, held_out: bool) -> None:
    for seed in range(3):
        skill = WORLD.skill(level, seed=seed, held_out=held_out)
        assert skill == WORLD.skill(level, seed=seed, held_out=held_out)
        assert writing_problems(skill) == []
        spec = SkillSpec.from_json(skill.metadata[CHECKER_KEY])
        assert len(spec.operations) == level
        assert is_held_out(spec) == held_out
        for task in WORLD.tasks(skill, "test", 5, seed=seed):
            assert task.verify(task.environment().expert() or "").passed
            assert not task.verify(WORLD.guess(task, random.Random(seed)) + " x").passed


def test_there_is_no_seventh_level_and_no_skill_of_another_world() -> None:
    with pytest.raises(
        ValueError, match="level 7 does not exist in string_skills, expected 1 to 6"
    ):
        WORLD.skill(7, seed=0)
    skill = WORLD.skill(1, seed=0)
    skill.metadata["skillweave.world"] = "chess"  # type: ignore[index]
    with pytest.raises(SkillError, match=r"names the world 'chess' .* expected 'string_skills'"):
        WORLD.tasks(skill, "train", 1, seed=0)


def test_a_guess_writes_the_symbols_of_the_request() -> None:
    task = WORLD.tasks(WORLD.skill(2, seed=1), "train", 1, seed=0)[0]
    items = task.messages[0]["content"].rsplit(": ", 1)[1].split()
    shown = WORLD.guess(task, random.Random(0)).removeprefix("final: ")
    assert sorted(filter(str.isalpha, shown.split())) == sorted(items)
