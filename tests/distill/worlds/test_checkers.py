"""From a skill's metadata to its checker, or to a refusal that says what to correct."""

import dataclasses
import json

import pytest
from skillweave.adapters.errors import SkillError
from skillweave.adapters.skills import Skill
from skillweave.distill.worlds.checkers import WORLD_KEY, Checker, checker_of
from skillweave.distill.worlds.string_skills import CHECKER_KEY, SkillSpec, worked_answer
from skillweave.distill.worlds.types import Task


def changed(skill: Skill, **metadata: str) -> Skill:
    keys = {"world": WORLD_KEY, "checker": CHECKER_KEY}
    return dataclasses.replace(
        skill, metadata=skill.metadata | {keys[k]: v for k, v in metadata.items()}
    )


def test_a_folder_read_from_disk_brings_its_own_checker(skill: Skill, spec: SkillSpec) -> None:
    checker = checker_of(skill)
    assert checker is not None
    assert (checker.world, checker.family) == ("string_skills", "picnic-routine")
    for task in checker.tasks("train", 5, seed=0):
        items = tuple(task.messages[0]["content"].rsplit(": ", 1)[1].split())
        assert task.verify(worked_answer(spec, items)).passed
        assert task.family == "picnic-routine"


def test_tasks_come_by_seed_and_without_the_excluded(skill: Skill) -> None:
    checker = checker_of(skill)
    assert checker is not None
    train = checker.tasks("train", 20, seed=3)
    assert checker.tasks("train", 20, seed=3) == train
    ids = {task.id for task in train}
    assert not ids & {task.id for task in checker.tasks("train", 20, seed=3, exclude=ids)}


def test_the_verdict_does_not_depend_on_the_body(skill: Skill) -> None:
    rewritten = dataclasses.replace(skill, body="Do whatever you like.")
    one, two = checker_of(skill), checker_of(rewritten)
    assert one is not None
    assert two is not None
    assert one.tasks("dev", 4, seed=1) == two.tasks("dev", 4, seed=1)


def test_a_skill_without_the_metadata_has_no_checker(skill: Skill) -> None:
    assert checker_of(dataclasses.replace(skill, metadata={"author": "me"})) is None


def test_an_unknown_world_is_refused_with_those_that_exist(skill: Skill) -> None:
    with pytest.raises(SkillError, match=r"names the world 'chess' .* one of string_skills"):
        checker_of(changed(skill, world="chess"))


@pytest.mark.parametrize("text", ["", "not json", "{}", '{"steps": [["exec", "rm"]]}'])
def test_a_checker_that_cannot_be_read_is_refused(skill: Skill, text: str) -> None:
    with pytest.raises(SkillError, match=r"'picnic-routine' has an unreadable checker"):
        checker_of(changed(skill, checker=text))


def test_a_world_without_a_checker_is_refused(skill: Skill) -> None:
    bare = dataclasses.replace(skill, metadata={WORLD_KEY: "string_skills"})
    with pytest.raises(SkillError, match=r"unreadable checker in metadata 'skillweave.checker'"):
        checker_of(bare)


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([["double"]] * 3, "cannot be asked: .* leaves between 1 and 13 symbols"),
        ([["drop-first", "2"]] * 3, "cannot be asked: .* use fewer steps"),
    ],
)
def test_a_checker_that_no_request_satisfies_is_refused(
    skill: Skill, steps: list[list[str]], reason: str
) -> None:
    text = json.dumps({"steps": steps, "format": "plain", "topic": "picnic"})
    with pytest.raises(SkillError, match=reason):
        checker_of(changed(skill, checker=text))


def test_an_unknown_topic_is_refused_with_those_that_exist(skill: Skill) -> None:
    text = json.dumps({"steps": [["reverse"]], "format": "plain", "topic": "space"})
    with pytest.raises(SkillError, match=r"topic 'space' is unknown, expected one of picnic, "):
        checker_of(changed(skill, checker=text))


def test_a_world_that_runs_out_of_requests_is_an_error_of_the_skill() -> None:
    checker = Checker("w", "few", lambda split, num, seed, exclude: _few(num))
    assert checker.tasks("train", 2, seed=0) == []
    with pytest.raises(SkillError, match="'few' cannot be asked: only 2"):
        checker.tasks("train", 3, seed=0)


def _few(num: int) -> list[Task]:
    if num > 2:
        raise ValueError("only 2")
    return []
