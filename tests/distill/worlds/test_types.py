"""The contract of environments, shown on the one-turn one."""

import dataclasses

import pytest
from skillweave.distill.worlds.string_skills import draw_tasks, plain_tasks
from skillweave.distill.worlds.string_skills.spec import SkillSpec
from skillweave.distill.worlds.types import OneTurn, Task, Verdict


def test_one_turn_shows_a_task_by_seed_and_ends_with_its_verdict(spec: SkillSpec) -> None:
    tasks = draw_tasks(spec, family="picnic-routine", split="train", num_tasks=3, seed=0)
    environment = OneTurn(tasks)
    assert environment.reset(1).messages == tasks[1].messages
    assert environment.reset(4).messages == tasks[1].messages
    assert environment.verdict() == Verdict(False, 0.0, "no answer was given")
    step = environment.step(f"final: {tasks[1].expected}")
    assert (step.reward, step.terminated, step.truncated) == (1.0, True, False)
    assert environment.verdict().passed
    # Another episode knows nothing of the last one.
    assert environment.reset(0).messages == tasks[0].messages
    assert not environment.verdict().passed
    assert environment.step("no idea").reward == 0.0
    assert not environment.verdict().passed


def test_an_environment_without_tasks_is_refused() -> None:
    with pytest.raises(ValueError, match="got 0 tasks, expected at least one"):
        OneTurn([])


def test_tasks_meet_the_protocol_and_nobody_changes_them() -> None:
    (task,) = plain_tasks(1, seed=0)
    assert isinstance(task, Task)
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.expected = "another"  # type: ignore[misc]
