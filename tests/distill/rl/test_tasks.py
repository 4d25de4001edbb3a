"""A curriculum of categories as a sampler of tasks."""

import json

import numpy as np
import pytest
from skillweave.adapters.errors import UsageError
from skillweave.distill.curricula.bandit import SecBandit
from skillweave.distill.curricula.uniform import Uniform
from skillweave.distill.rl.groups import Group, Rollout
from skillweave.distill.rl.seams import Stateful, TaskSampler
from skillweave.distill.rl.tasks import CurriculumTasks
from skillweave.distill.worlds.string_skills.tasks import StringTask

from .playing import trajectory

POOLS = {
    name: [StringTask(name, "train", f"request {n}", "b c", "seen") for n in range(3)]
    for name in ("easy", "hard")
}


def bandit() -> CurriculumTasks:
    return CurriculumTasks(SecBandit(categories=("easy", "hard"), alpha=1.0), POOLS)


def group(task: StringTask, *rewards: float, error: str = "") -> Group:
    played = [trajectory(reward=one, task_id=task.id, error=error) for one in rewards]
    return Group.of([Rollout.of(one) for one in played], step=0)


def test_tasks_come_from_the_categories_that_are_chosen() -> None:
    sampler: TaskSampler = CurriculumTasks(Uniform(categories=("hard",)), POOLS)
    drawn = sampler.next(0, 20, np.random.default_rng(0))
    assert {task.family for task in drawn} == {"hard"}
    assert len({task.id for task in drawn}) == 3


def test_what_teaches_is_drawn_more_often_and_equal_groups_count() -> None:
    sampler = bandit()
    easy, hard = POOLS["easy"][0], POOLS["hard"][0]
    sampler.observe(0, [group(easy, 1.0, 1.0), group(hard, 1.0, 0.0)])
    drawn = sampler.next(1, 300, np.random.default_rng(0))
    assert sum(task.family == "hard" for task in drawn) > 250
    sampler.observe(1, [group(hard, 1.0, 1.0)])
    assert sampler.curriculum.weights(2) == {"easy": 0.5, "hard": 0.5}


def test_a_group_that_could_not_be_played_tells_nothing() -> None:
    sampler = bandit()
    before = sampler.state()
    sampler.observe(0, [group(POOLS["easy"][0], 1.0, error="EngineError: gone")])
    assert sampler.state() == before


def test_a_sampler_taken_up_again_draws_the_same() -> None:
    first, second = bandit(), bandit()
    first.observe(0, [group(POOLS["hard"][0], 1.0, 0.25, 0.5)])
    assert isinstance(first, Stateful)
    second.load_state(json.loads(json.dumps(first.state())))
    drawn = [one.next(1, 50, np.random.default_rng(4)) for one in (first, second)]
    assert drawn[0] == drawn[1]
    with pytest.raises(UsageError, match="state of None"):
        second.load_state(None)


def test_pools_that_do_not_fit_are_refused() -> None:
    even = Uniform(categories=("easy", "hard"))
    with pytest.raises(UsageError, match="'hard' of the curriculum has no pool"):
        CurriculumTasks(even, {"easy": POOLS["easy"]})
    with pytest.raises(UsageError, match="'hard' has 0 tasks"):
        CurriculumTasks(even, {"easy": POOLS["easy"], "hard": []})
    with pytest.raises(UsageError, match="is in 'easy' and in 'hard'"):
        CurriculumTasks(even, {"easy": POOLS["easy"], "hard": POOLS["easy"]})
