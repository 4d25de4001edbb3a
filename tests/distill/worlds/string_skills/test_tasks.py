"""Tasks by seed and split, skill folders, plain tasks and strays."""

import random
from pathlib import Path

import pytest
from skillweave.adapters.skills import read_skill, validate_skill, write_skill
from skillweave.distill.worlds.split_ledger import SplitLedger
from skillweave.distill.worlds.string_skills import (
    CHECKER_KEY,
    SkillSpec,
    draw_tasks,
    is_held_out,
    plain_tasks,
    random_spec,
    stray_requests,
    string_skill,
    worked_answer,
)
from skillweave.distill.worlds.string_skills.tasks import StringTask
from skillweave.distill.worlds.string_skills.topics import TOPICS
from skillweave.distill.worlds.types import Split


def tasks(spec: SkillSpec, split: Split, num: int, *, seed: int = 0) -> list[StringTask]:
    return draw_tasks(spec, family="f", split=split, num_tasks=num, seed=seed)


def items_of(task: StringTask) -> tuple[str, ...]:
    """The list in a request: what stands behind the last mark."""
    return tuple(task.request.replace("?", ":").rsplit(":", 1)[1].split())


def test_the_same_seed_draws_the_same_tasks_and_another_does_not(spec: SkillSpec) -> None:
    assert tasks(spec, "train", 20) == tasks(spec, "train", 20)
    assert tasks(spec, "train", 20)[:5] == tasks(spec, "train", 5)
    for other in (tasks(spec, "train", 20, seed=1), tasks(spec, "test", 20)):
        assert other != tasks(spec, "train", 20)


def test_ids_are_distinct_and_made_of_the_content(spec: SkillSpec) -> None:
    drawn = tasks(spec, "train", 100)
    assert len({task.id for task in drawn}) == 100
    task = drawn[0]
    same = StringTask(task.family, "test", task.request, task.expected, "unseen")
    assert same.id == task.id
    assert StringTask("other", "train", task.request, task.expected, "seen").id != task.id


def test_splits_are_disjoint_by_exclusion_and_the_ledger_agrees(spec: SkillSpec) -> None:
    ledger = SplitLedger()
    used: set[str] = set()
    splits: tuple[Split, ...] = ("train", "dev", "test")
    for split in splits:
        drawn = draw_tasks(spec, family="f", split=split, num_tasks=200, seed=0, exclude=used)
        ledger.record(split, (task.id for task in drawn))
        used |= {task.id for task in drawn}
    assert ledger.counts() == {"train": 200, "dev": 200, "test": 200}


def test_half_of_the_test_tasks_have_unseen_wordings_and_no_others(spec: SkillSpec) -> None:
    assert [task.wording for task in tasks(spec, "test", 4)] == ["seen", "unseen"] * 2
    for split in ("pretrain", "train", "dev"):
        assert {task.wording for task in tasks(spec, split, 10)} == {"seen"}


def test_the_worked_answer_of_every_task_passes_and_that_of_another_skill_rarely_does() -> None:
    rng = random.Random(0)
    right = wrong = total = 0
    for index in range(40):
        spec, other = random_spec(rng, 1 + index % 3), random_spec(rng, 1 + index % 3)
        for task in tasks(spec, "test", 5, seed=index):
            total += 1
            right += task.verify(worked_answer(spec, items_of(task))).passed
            wrong += task.verify(worked_answer(other, items_of(task))).passed
    assert right == total == 200
    assert wrong < 10


def test_a_task_shows_one_user_message_and_says_what_it_is(spec: SkillSpec) -> None:
    (task,) = tasks(spec, "dev", 1)
    assert task.messages == ({"role": "user", "content": task.request},)
    assert (task.split, task.family) == ("dev", "f")
    assert task.meta["world"] == "string_skills"
    assert task.meta["wording"] == "seen"


def test_a_skill_is_a_folder_that_the_strict_judge_accepts(tmp_path: Path) -> None:
    rng = random.Random(1)
    for index in range(30):
        spec = random_spec(rng, 1 + index % 3)
        made = string_skill(spec, seed=index)
        folder = write_skill(made, tmp_path / str(index) / made.name).parent
        assert validate_skill(folder) == []
        read, warnings = read_skill(folder)
        assert warnings == []
        assert (read.name, read.description, read.body) == (
            made.name,
            made.description,
            made.body,
        )
        assert SkillSpec.from_json(read.metadata[CHECKER_KEY]) == spec
        assert read.license == "Apache-2.0"


def test_a_skills_text_varies_with_the_seed_and_its_meaning_does_not(spec: SkillSpec) -> None:
    made = [string_skill(spec, seed=seed) for seed in range(20)]
    assert string_skill(spec, seed=0) == made[0]
    assert len({skill.body for skill in made}) > 15
    assert len({skill.metadata[CHECKER_KEY] for skill in made}) == 1


def test_plain_tasks_name_the_operation_and_are_answered_in_the_plain_format() -> None:
    drawn = plain_tasks(50, seed=0)
    assert plain_tasks(50, seed=0) == drawn != plain_tasks(50, seed=1)
    assert len({task.id for task in drawn}) == 50
    assert {task.family for task in drawn} == {"plain"}
    assert not any(mark in task.expected for task in drawn for mark in "[]*|/+,-")


def test_strays_belong_to_no_skill_and_dev_and_test_share_no_topic() -> None:
    mine = ("picnic", "circus")
    said: dict[str, set[str]] = {}
    for split in ("dev", "test"):
        requests = stray_requests(60, without=mine, seed=0, split=split)
        assert requests == stray_requests(60, without=mine, seed=0, split=split)
        assert len(requests) == 60
        topics = {
            slug
            for slug, topic in TOPICS.items()
            if any(
                word in request.replace(":", " ").replace(",", " ").replace("?", " ").split()
                for request in requests
                for word in {*topic.told, *topic.untold} - {"tent"}  # the one shared word
            )
        }
        assert not topics & {*mine}
        said[split] = topics
    assert said["dev"]
    assert said["test"]
    assert not said["dev"] & said["test"]


def test_shipped_examples_are_skills_that_the_base_never_saw(repository: Path) -> None:
    folders = sorted(p for p in (repository / "examples" / "skills").iterdir() if p.is_dir())
    assert len(folders) == 6
    specs = []
    for folder in folders:
        assert validate_skill(folder) == []
        skill, _ = read_skill(folder)
        specs.append(SkillSpec.from_json(skill.metadata[CHECKER_KEY]))
        assert skill.name == f"{specs[-1].topic}-routine"
    assert all(is_held_out(spec) for spec in specs)
    assert len({spec.topic for spec in specs}) == 6
    assert len({spec.operations for spec in specs}) == 6
    assert {len(spec.operations) for spec in specs} == {1, 2, 3}


@pytest.mark.parametrize("split", ["train", "test"])
def test_no_task_asks_for_what_cannot_be_answered(split: Split) -> None:
    rng = random.Random(2)
    for index in range(50):
        for task in tasks(random_spec(rng, 3), split, 3, seed=index):
            assert task.expected.strip("[]*| ,/+-")
