"""From a skill to a stored adapter, with a teacher behind HTTP and a tiny random base."""

import asyncio
import dataclasses
import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from skillweave.adapters.errors import RefusedSkill
from skillweave.adapters.gate.policy import check_adapter
from skillweave.adapters.skills import Skill
from skillweave.adapters.store.store import Store
from skillweave.distill.demonstrations import Teacher
from skillweave.distill.learning.sft import SftSettings
from skillweave.distill.policy import ServedPolicy
from skillweave.distill.skill_training import (
    Lesson,
    SkillTraining,
    teach,
    train,
    train_shared,
)
from skillweave.distill.tiny_base import tiny_base_path
from skillweave.distill.workbench import Workbench
from skillweave.distill.worlds.string_skills import held_out_specs, string_skill
from skillweave.router.forms import Evidence

from .followers import NO_IDEA, follow_the_text, system_of
from .scripted_teacher import Body, Reply, Script, ScriptedTeacher

CONFIG = SkillTraining(
    num_requests=10,
    preflight_requests=4,
    min_demonstrations=6,
    sft=SftSettings(rank=2, epochs=1, batch_rows=8),
)
Told = list[tuple[str, int, int]]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def bench(small_base_dir: Path, tmp_path: Path, told: Told) -> Workbench:
    return Workbench(
        small_base_dir,
        Store(tmp_path / "store"),
        report=lambda what, done, of: told.append((what, done, of)),
    )


def taught(
    skill: Skill, bench: Workbench, script: Script, *, force: bool = False, take_few: bool = False
) -> tuple[Lesson, ScriptedTeacher]:
    async def go(url: str) -> Lesson:
        async with ServedPolicy(url) as policy:
            teacher, how = Teacher(policy), {"force": force, "take_few": take_few}
            return await teach(skill, CONFIG, bench, teacher=teacher, seed=0, **how)

    with ScriptedTeacher(script) as teacher:
        return asyncio.run(go(teacher.url)), teacher


def test_a_lesson_holds_verified_demonstrations_and_what_they_cost(
    skill: Skill, bench: Workbench, told: Told
) -> None:
    lesson, teacher = taught(skill, bench, follow_the_text)
    assert len(lesson.demonstrations) == lesson.yielded.kept == 10
    assert (lesson.gain.with_text, lesson.gain.without_text, lesson.gain.n) == (1.0, 0.0, 4)
    assert len(teacher.requests) == 2 * 4 + 10
    assert told == [("demonstrations for picnic-routine", done, 10) for done in range(1, 11)]
    assert "model" not in vars(bench), "the base is not loaded before there is something to train"


def test_a_version_in_the_store_with_rows_card_and_skill(
    skill: Skill, bench: Workbench, small_base_dir: Path, told: Told
) -> None:
    lesson, _ = taught(skill, bench, follow_the_text)
    carried = train(lesson, CONFIG, bench, recipe="s2l", seed=7)
    version = carried.version
    assert bench.store.resolve("picnic-routine").version_digest == version.version_digest
    assert check_adapter(version.path, bench.identity) == ()
    card = version.card
    assert (card.kind, card.skill_name, card.seed, card.licence) == (
        "skill",
        "picnic-routine",
        7,
        "Apache-2.0",
    )
    assert card.base.family_digest == bench.identity.family_digest
    assert card.base.name == "small-base"
    assert card.recipe is not None
    assert card.recipe.name == "s2l"
    resolved = CONFIG.model_copy(update={"sft": CONFIG.sft.on(tiny=False)})
    assert SkillTraining.model_validate(card.recipe.config) == resolved
    assert card.code_revision
    assert card.data_digest is not None
    rows = bench.store.get_rows(card.data_digest)
    assert rows == [json.loads(json.dumps(d.to_row())) for d in lesson.demonstrations]
    assert skill.body.strip() not in json.dumps(rows)
    assert (version.path / "skill" / "SKILL.md").is_file()
    assert told[-1] == ("training picnic-routine", 2, 2)
    assert str(small_base_dir) not in (version.path / "adapter_config.json").read_text()


def test_what_training_took_is_attested_and_decides_no_form(skill: Skill, bench: Workbench) -> None:
    lesson, _ = taught(skill, bench, follow_the_text)
    carried = train(lesson, CONFIG, bench, recipe="s2l", seed=0)
    (stored,) = bench.store.attestations(carried.version.version_digest)
    assert (stored["type"], stored["teacher"]) == ("training", "base")
    assert [stored[key] for key in ("asked", "wrong", "failed", "kept")] == [10, 0, 0, 10]
    assert stored["text_gain"] == {"with": 1.0, "without": 0.0, "n": 4}
    answers = lesson.yielded
    assert stored["teacher_tokens"] == answers.prompt_tokens + answers.completion_tokens > 0
    assert (stored["dev_loss"], stored["best_epoch"]) == (carried.sft.dev_loss, 1)
    assert stored["train_s"] > 0
    with pytest.raises(ValidationError):
        Evidence.model_validate(stored)
    assert "form" not in stored


def test_a_card_names_a_teacher_that_is_not_the_base(skill: Skill, bench: Workbench) -> None:
    lesson, _ = taught(skill, bench, follow_the_text)
    other = dataclasses.replace(lesson, teacher="big at http://teacher/v1")
    carried = train(other, CONFIG, bench, recipe="s2l", seed=0)
    assert carried.version.card.recipe is not None
    assert carried.version.card.recipe.config["teacher"] == "big at http://teacher/v1"
    assert carried.document()["teacher"] == "big at http://teacher/v1"


def test_the_same_seed_gives_the_same_adapter(skill: Skill, bench: Workbench) -> None:
    lesson, _ = taught(skill, bench, follow_the_text)
    one, two, other = (
        train(lesson, CONFIG, bench, recipe="s2l", seed=seed).version for seed in (0, 0, 1)
    )
    assert one.weights_digest == two.weights_digest != other.weights_digest
    # The tree may change between the two; nothing else of the card may.
    cards = [version.card.model_copy(update={"code_revision": None}) for version in (one, two)]
    assert cards[0] == cards[1]
    config = "adapter_config.json"
    assert (one.path / config).read_bytes() == (two.path / config).read_bytes()


def test_skills_that_cannot_be_trained_are_refused_before_anybody_is_asked(
    skill: Skill, bench: Workbench
) -> None:
    bare = dataclasses.replace(skill, metadata={})
    foreign = dataclasses.replace(skill, body="Compose a haiku concerning autumn.", metadata={})
    shipped = Workbench(tiny_base_path(), bench.store)
    for refused, where in ((bare, bench), (foreign, shipped)):
        with ScriptedTeacher(follow_the_text) as teacher:

            async def go(url: str, skill: Skill = refused, bench: Workbench = where) -> None:
                async with ServedPolicy(url) as policy:
                    await teach(skill, CONFIG, bench, teacher=Teacher(policy), seed=0)

            with pytest.raises(RefusedSkill, match="What works: `skillweave serve --skills DIR`"):
                asyncio.run(go(teacher.url))
        assert teacher.requests == []
        assert {"model", "tokenizer", "identity"}.isdisjoint(vars(where))


def test_a_text_that_does_not_help_stops_before_demonstrations_unless_forced(
    skill: Skill, bench: Workbench
) -> None:
    asked: list[Body] = []

    def lost(body: Body) -> Reply:
        asked.append(body)
        return NO_IDEA

    with pytest.raises(RefusedSkill, match="0% of 4 requests pass with the text, 0% without"):
        taught(skill, bench, lost)
    assert len(asked) == 2 * 4

    def gifted(body: Body) -> Reply:
        """Knows the skill without its text, which is the fixture's."""
        return follow_the_text({**body, "messages": [
            {"role": "system", "content": skill.body}, *_without_system(body)]})  # fmt: skip

    with pytest.raises(RefusedSkill, match="100% of 4 requests pass with the text, 100% without"):
        taught(skill, bench, gifted)
    lesson, _ = taught(skill, bench, gifted, force=True)
    assert lesson.yielded.kept == 10


def _without_system(body: Body) -> list[object]:
    messages = body["messages"]
    assert isinstance(messages, list)
    return [turn for turn in messages if turn["role"] != "system"]


def test_too_few_verified_demonstrations_are_refused_even_when_forced(
    skill: Skill, bench: Workbench
) -> None:
    done: list[None] = []

    def tired(body: Body) -> Reply:
        if not system_of(body):
            return NO_IDEA
        done.append(None)
        return follow_the_text(body) if len(done) <= 4 + 5 else NO_IDEA

    with pytest.raises(RefusedSkill, match="5 of 10 demonstrations verified, expected at least 6"):
        taught(skill, bench, tired, force=True)


@pytest.mark.parametrize(("num", "trainable"), [(0, False), (1, False), (2, True)])
def test_an_experiment_takes_a_lesson_however_little_there_is(
    skill: Skill, bench: Workbench, num: int, trainable: bool
) -> None:
    done: list[None] = []

    def tired(body: Body) -> Reply:
        if not system_of(body):
            return NO_IDEA
        done.append(None)
        return follow_the_text(body) if 4 < len(done) <= 4 + num else NO_IDEA

    lesson, _ = taught(skill, bench, tired, force=True, take_few=True)
    assert (lesson.yielded.kept, lesson.trainable) == (num, trainable)


def test_one_adapter_on_the_rows_of_all(bench: Workbench, tmp_path: Path, skill: Skill) -> None:
    other = string_skill(held_out_specs(0)[0], seed=0, license_name="MIT")
    lessons = [taught(one, bench, follow_the_text)[0] for one in (skill, other)]
    version, result = train_shared(lessons, CONFIG, bench, name="shared-both", recipe="s2l", seed=0)
    assert version.card.kind == "shared"
    assert version.card.licence is None, "two licences are not one"
    assert version.card.data_digest is not None
    assert len(bench.store.get_rows(version.card.data_digest)) == 20
    assert result.num_rows == 18
    assert not (version.path / "skill").exists()
