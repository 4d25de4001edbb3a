"""One skill, several consumers: items know their target, and requests that need no skill."""

import asyncio
from collections.abc import Sequence

import pytest
from skillweave.distill.evaluation import Answer, Arm, EvaluationError, oracle_answer, target_of
from skillweave.distill.plain_requests import plain_requests, plain_worlds
from skillweave.distill.policy import Sampling
from skillweave.distill.targets import AskTargets, Target, for_targets
from skillweave.distill.worlds.types import Message, Task

GREEDY = Target("greedy", Sampling())
WARM = Target("warm", Sampling(temperature=1.0, seed=3))


class Noting:
    """A policy that notes how it was asked."""

    def __init__(self) -> None:
        self.seen: list[Sampling] = []

    async def complete(
        self, messages: Sequence[Message], *, model: str, sampling: Sampling
    ) -> Answer:
        self.seen.append(sampling)
        return Answer("final: b", 1, 1)


def test_every_task_is_put_to_every_target_under_an_id_of_its_own() -> None:
    tasks = plain_requests("string_skills", "picnic-routine", 3, seed=0)
    items = for_targets(tasks, [GREEDY, WARM])
    assert len({item.id for item in items}) == 6
    assert [target_of(item.id) for item in items] == ["greedy"] * 3 + ["warm"] * 3
    assert items[0].meta["sampling"] != items[3].meta["sampling"]
    assert items[3].verify(oracle_answer(items[3])).passed
    with pytest.raises(ValueError, match="each name once"):
        for_targets(tasks, [GREEDY, GREEDY])
    with pytest.raises(ValueError, match="without '@'"):
        Target("a@b", Sampling())


def test_targets_draw_in_their_own_manner_and_all_arms_alike() -> None:
    cold, warm = Noting(), Noting()
    item, other = plain_requests("facts", "animal-facts", 2, seed=0)
    ask = AskTargets(cold, {"warm": warm})
    for task in for_targets([item, other], [GREEDY, WARM]):
        for arm in (Arm("none"), Arm("text", system="b")):
            asyncio.run(ask(arm, task))
    assert {s.temperature for s in cold.seen} == {0.0}
    assert {s.temperature for s in warm.seen} == {1.0}
    seeds = [s.seed for s in warm.seen]
    assert seeds[0] == seeds[1] != seeds[2] == seeds[3]
    with pytest.raises(EvaluationError, match="for_targets"):
        asyncio.run(ask(Arm("none"), item))


@pytest.mark.parametrize("world", plain_worlds())
def test_plain_requests_are_solved_by_their_experts_and_drawn_by_seed(world: str) -> None:
    tasks = plain_requests(world, "some-skill", 12, seed=4)
    again = plain_requests(world, "some-skill", 12, seed=4)
    assert [task.id for task in tasks] == [task.id for task in again]
    assert {task.id for task in tasks}.isdisjoint(
        task.id for task in plain_requests(world, "other-skill", 12, seed=4)
    )
    assert {(task.family, task.split) for task in tasks} == {("some-skill", "test")}
    assert all(task.verify(oracle_answer(task)).passed for task in tasks)
    assert not any(task.verify("").passed for task in tasks)


def test_a_world_without_plain_requests_says_so() -> None:
    tasks: list[Task] = []
    with pytest.raises(ValueError, match="expected one of"):
        tasks += plain_requests("household", "tidy", 1, seed=0)
    assert tasks == []
