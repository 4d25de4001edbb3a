"""Tasks: a plan is judged as it would be played, and the splits never overlap."""

import dataclasses
import random

import pytest
from skillweave.distill.worlds.household import (
    WORLD,
    HouseholdSpec,
    HouseholdTask,
    Shape,
    Start,
    draw_tasks,
    household_skill,
)
from skillweave.distill.worlds.household.requests import Wording
from skillweave.distill.worlds.household.split import SPLITS
from skillweave.distill.worlds.split_ledger import SplitLedger
from skillweave.distill.worlds.types import Task, Verdict

from .chores import sample_tasks, start

SPEC = HouseholdSpec(
    "clean", (("cup", "drawer 1"), ("pen", "shelf 2")), "sink 1", "desk 1", "picnic"
)


def played(task: Task, text: str) -> Verdict:
    """The verdict of an episode, one line an action."""
    episode = task.environment()
    for line in text.splitlines():
        step = episode.step(line)
        if step.terminated or step.truncated:
            break
    return episode.verdict()


def test_a_hand_worked_plan_passes_and_its_parts_do_not() -> None:
    task = HouseholdTask("picnic-round", start("clean"), "seen")
    plan = [
        "go to shelf 2",
        "take pen from shelf 2",
        "go to sink 1",
        "clean pen with sink 1",
        "go to desk 1",
        "put pen in desk 1",
    ]
    assert task.verify("\n".join(plan)) == Verdict(True, 1.0, "the goal holds after 6 actions")
    assert task.verify("\r\n\n".join([" ", *plan, "take pen from desk 1"])).passed
    for index in range(len(plan)):
        assert not task.verify("\n".join(plan[:index] + plan[index + 1 :])).passed
    assert not task.verify("\n".join(reversed(plan))).passed
    assert not task.verify("; ".join(plan)).passed


def test_the_expert_plan_passes_and_stands_in_the_metadata() -> None:
    for task in sample_tasks(50):
        assert task.verify(task.meta["expected"]) == played(task, task.meta["expected"])
        assert task.verify(task.meta["expected"]).passed
        assert len(task.expert_plan) <= 8


def test_a_plan_is_judged_as_it_is_played() -> None:
    rng = random.Random(0)
    for task in sample_tasks(12):
        legal = task.environment().reset(0).legal_actions or ()
        pool = [*task.expert_plan, *legal, "jump", "look"]
        for _ in range(8):
            lines = list(task.expert_plan)
            for _ in range(rng.randint(0, 5)):
                lines.insert(rng.randrange(len(lines) + 1), rng.choice(pool))
            assert task.verify("\n".join(lines)) == played(task, "\n".join(lines))


@pytest.mark.parametrize(("shape", "spare"), [("place", 1), ("look", 1), ("clean", 2), ("two", 2)])
def test_one_spare_turn_for_every_three_actions(shape: Shape, spare: int) -> None:
    task = HouseholdTask("picnic-round", start(shape), "seen")
    assert task.verify("\n".join(["jump"] * spare + [*task.expert_plan])).passed
    assert not task.verify("\n".join(["jump"] * (spare + 1) + [*task.expert_plan])).passed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n" * 1_000_000,
        "go to desk 1" * 100_000,
        "go to desk 1\n" * 100_000,
        "\udc80\udfff\n" * 1000,
        "open('hacked', 'w')\n__import__('os').abort()",
        "\x00",
    ],
    ids=["empty", "lines", "one long line", "repeats", "surrogates", "code", "zero"],
)
def test_a_hostile_plan_gets_nothing(text: str) -> None:
    for task in sample_tasks(3):
        assert (task.verify(text).passed, task.verify(text).reward) == (False, 0.0)


def test_splits_are_disjoint_whatever_the_seeds() -> None:
    skill = WORLD.skill(1, seed=0)
    ledger = SplitLedger()
    for seed in range(3):
        for split in SPLITS:
            tasks = WORLD.tasks(skill, split, 40, seed=seed)
            assert {task.split for task in tasks} == {split}
            assert len({task.id for task in tasks}) == 40
            ledger.record(split, [task.id for task in tasks])
    assert min(ledger.counts().values()) > 100


def test_the_same_seed_gives_the_same_tasks_and_another_others() -> None:
    skill = WORLD.skill(2, seed=0)
    tasks = WORLD.tasks(skill, "train", 6, seed=0)
    assert WORLD.tasks(skill, "train", 6, seed=0) == tasks
    other = {task.id for task in WORLD.tasks(skill, "train", 6, seed=1)}
    ids = {task.id for task in tasks}
    assert not other & ids
    assert not ids & {t.id for t in WORLD.tasks(skill, "train", 6, seed=0, exclude=ids)}


def test_an_id_is_the_content() -> None:
    task = HouseholdTask("picnic-round", start("clean"), "seen")
    assert task.id == HouseholdTask("picnic-round", start("clean"), "unseen").id
    others: list[Start] = [
        start("heat"),
        dataclasses.replace(start("clean"), request="do it."),
        dataclasses.replace(start("clean"), before=("go to desk 1",)),
    ]
    ids = {HouseholdTask("picnic-round", other, "seen").id for other in others}
    assert len(ids | {task.id}) == 4


def test_messages_are_what_a_reset_shows() -> None:
    for task in sample_tasks(5):
        assert task.environment().reset(0).messages == task.messages
        assert task.environment().reset(7).messages == task.messages


def test_half_of_the_test_tasks_have_wordings_that_training_never_has() -> None:
    wordings: list[Wording] = [
        task.wording for task in draw_tasks(SPEC, family="f", split="test", num_tasks=6, seed=0)
    ]
    assert wordings == ["seen", "unseen"] * 3
    train = draw_tasks(SPEC, family="f", split="train", num_tasks=6, seed=0)
    assert {task.meta["wording"] for task in train} == {"seen"}


def test_a_skill_carries_its_checker_and_never_its_name_in_a_request() -> None:
    skill = household_skill(SPEC, seed=0)
    assert skill.name == "picnic-round"
    assert skill.metadata["skillweave.world"] == "household"
    for task in WORLD.tasks(skill, "dev", 10, seed=0):
        request = task.messages[0]["content"].split("\n")[0]
        assert "round" not in request
        assert task.family == skill.name
