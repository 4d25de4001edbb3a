"""The course of a recipe: taught, trained, published and judged behind one server, all counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass, replace
from pathlib import Path

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.adapters.skills import Skill
from skillweave.adapters.store.store import Store
from skillweave.distill.demonstrations import Demonstration
from skillweave.distill.evaluation import (
    Above,
    Arm,
    Below,
    Budget,
    BudgetExceeded,
    Criterion,
    diff,
    measured,
    oracle_arm,
)
from skillweave.distill.evaluation.controls import CONTROLS, Absent
from skillweave.distill.learning.sft import SftSettings
from skillweave.distill.recipes import Finished, Recipe, RecipeContext, run_once
from skillweave.distill.recipes.course import Course, open_course
from skillweave.distill.recipes.drawing import draw_items, draw_skills
from skillweave.distill.recipes.lessons import expert_rows
from skillweave.distill.serving import ServePlan
from skillweave.distill.skill_arms import none_arm, text_arm
from skillweave.distill.skill_training import SkillTraining

from .skill_server import SkillServer

SMALL = SkillTraining(
    num_requests=8,
    preflight_requests=2,
    min_demonstrations=3,
    sft=SftSettings(rank=2, epochs=1, batch_rows=8),
)
CRITERION = Criterion(
    statement="the text helps", clauses=(Above(what=diff("text", "none"), bar=0.3),)
)
NO_CONTROLS = dict.fromkeys(CONTROLS, Absent("nothing is claimed here"))


@dataclass
class Opened:
    """A course, the server that it asks and its store."""

    course: Course
    server: SkillServer
    skills: list[Skill]


@contextmanager
def opened(
    base: Path,
    tmp_path: Path,
    *,
    world: str = "string_skills",
    levels: tuple[int, ...] = (1, 2),
    num_lost: int = 0,
    budget: Budget | None = None,
) -> Iterator[Opened]:
    skills = draw_skills(world, levels, folder=tmp_path / "before", seed=1)
    server = SkillServer(lost=[skill.body.strip() for skill in skills[:num_lost]])
    context = RecipeContext(
        base, Store(tmp_path / "store"), tmp_path / "work", 1, server, world=world,
        budget=budget or Budget(), controls=NO_CONTROLS,
    )  # fmt: skip
    with open_course("mine", SMALL, context, adapters=len(levels)) as course:
        yield Opened(course, server, course.draw_skills(levels))


def ids(rows: list[Demonstration]) -> set[str]:
    return {row.task_id for row in rows}


def test_skills_are_taught_from_what_verifies_and_every_answer_is_counted(
    small_base_dir: Path, tmp_path: Path
) -> None:
    with opened(small_base_dir, tmp_path) as at:
        lessons = at.course.teach(at.skills)
        assert [lesson.skill.name for lesson in lessons] == [skill.name for skill in at.skills]
        assert [len(lesson.demonstrations) for lesson in lessons] == [8, 8]
        assert all(lesson.gain.gain == 1.0 for lesson in lessons)
        assert at.course.context.budget.spent["rollouts"] == len(at.server.asked) == 2 * (8 + 2 * 2)
        done = at.course.finished((), criterion=CRITERION, notes=["said"], numbers={"x": 1.0})
    assert (done.rollouts, done.notes, done.numbers) == (24, ("said",), {"x": 1.0})
    assert done.base == at.course.bench.identity.family_digest
    assert at.server.plans == [ServePlan(small_base_dir, at.course.context.store.root, 2, 2)]


def test_the_answer_that_is_one_too_many_is_not_asked_for(
    small_base_dir: Path, tmp_path: Path
) -> None:
    with opened(small_base_dir, tmp_path, budget=Budget({"rollouts": 15})) as at:
        with pytest.raises(BudgetExceeded, match="15 of 15 spent"):
            at.course.teach(at.skills)
        assert len(at.server.asked) == 15


@pytest.mark.slow
def test_an_adapter_a_lesson_is_published_and_a_lost_skill_is_the_base(
    small_base_dir: Path, tmp_path: Path
) -> None:
    with opened(small_base_dir, tmp_path, num_lost=1) as at:
        models = at.course.carry(at.course.teach(at.skills))
        (version,) = at.course.context.store.list()
        lost, taught = at.skills
        assert models == {lost.name: "base", taught.name: f"{version.ref}:adapter"}
        assert at.course.weights == {f"{version.ref}:adapter": version.weights_digest}
        assert at.server.published == [version.ref]
        assert version.card.recipe is not None
        assert (version.card.recipe.name, version.card.seed) == ("mine", 1)
        (note,) = at.course.finished((), criterion=CRITERION).notes
        assert note.startswith(f"{lost.name}: 0 of 8 demonstrations verified, so no adapter")


@pytest.mark.slow
def test_rows_of_ones_own_are_carried_by_one_adapter(small_base_dir: Path, tmp_path: Path) -> None:
    with opened(small_base_dir, tmp_path) as at:
        rows = expert_rows(at.course.tasks(at.skills, "train", num_items=4))
        model = at.course.carry_rows("all", rows, description="Both skills.", licence=None)
        (version,) = at.course.context.store.list()
        assert (model, version.card.kind) == ("all@1:adapter", "shared")
        assert at.course.weights == {model: version.weights_digest}
        assert version.card.data_digest is not None
        kept = at.course.context.store.get_rows(version.card.data_digest)
        assert {row["task_id"] for row in kept} == ids(rows)


def test_rows_of_the_test_split_are_not_trained_on(small_base_dir: Path, tmp_path: Path) -> None:
    with opened(small_base_dir, tmp_path) as at:
        rows = expert_rows(at.course.tasks(at.skills, "test", num_items=4))
        with pytest.raises(ValueError, match="in split 'test' and again in 'train'"):
            at.course.carry_rows("cheat", rows, description="x", licence=None)
        assert at.course.context.store.list() == []


def test_splits_never_share_a_request_in_whatever_order_they_are_drawn(
    small_base_dir: Path, tmp_path: Path
) -> None:
    """A small table has few requests, so draws that do not exclude each other overlap."""
    with opened(small_base_dir, tmp_path, world="facts", levels=(1, 1)) as at:
        alone = [
            {task.id for task in draw_items("facts", at.skills, num_items=80, seed=1, split=split)}
            for split in ("dev", "train")
        ]
        assert alone[0] & alone[1]
        dev, test, train, more = (
            {task.id for task in at.course.tasks(at.skills, split, num_items=num)}
            for split, num in (("dev", 80), ("test", 80), ("train", 80), ("dev", 90))
        )  # type: ignore[misc]
        again = {task.id for task in at.course.tasks(at.skills, "dev", num_items=80)}
    assert again == dev < more
    assert len(more | test | train) == 2 * (90 + 80 + 80)


def test_no_request_of_another_split_is_taught(small_base_dir: Path, tmp_path: Path) -> None:
    with opened(small_base_dir, tmp_path, world="facts", levels=(1,)) as at:
        dev = {task.id for task in at.course.tasks(at.skills, "dev", num_items=200)}
        at.course.config = SMALL.model_copy(update={"num_requests": 30})
        (lesson,) = at.course.teach(at.skills)
        assert len(lesson.asked_ids) == 30
        assert not lesson.asked_ids & dev
        alone = draw_items("facts", at.skills, num_items=30, seed=1, split="train")
        assert {task.id for task in alone} & dev


def test_arms_are_asked_and_only_what_is_learned_from_is_counted(
    small_base_dir: Path, tmp_path: Path
) -> None:
    with opened(small_base_dir, tmp_path) as at:
        items = at.course.tasks(at.skills, "test", num_items=3)
        arms = [none_arm(), text_arm(at.skills), oracle_arm()]
        done = at.course.judged(arms, items, criterion=CRITERION, notes=["said"])
        results = done.results
        passed = {arm.name: sum(r.passed for r in results if r.arm == arm.name) for arm in arms}
        assert passed == {"none": 0, "text": 6, "oracle": 6}
        assert (done.rollouts, done.notes) == (0, ("said",))


def test_a_world_of_several_turns_is_refused_before_anything_is_asked(
    small_base_dir: Path, tmp_path: Path
) -> None:
    with opened(small_base_dir, tmp_path, world="household", levels=(1, 1)) as at:
        with pytest.raises(UsageError, match=r"'household' .* cannot be taught by demonstrations"):
            at.course.teach(at.skills)
        items = at.course.tasks(at.skills, "test", num_items=1)
        with pytest.raises(UsageError, match=r"turns and cannot be asked in one turn; choose"):
            at.course.ask([none_arm()], items, criterion=CRITERION)
        assert at.server.asked == []


def test_a_recipe_hands_in_the_numbers_that_its_criterion_measures(
    small_base_dir: Path, tmp_path: Path
) -> None:
    criterion = Criterion(
        statement="few rows",
        clauses=(Below(what=measured("rows"), bar=10), Below(what=measured("never"), bar=10)),
    )

    def run(config: SkillTraining, context: RecipeContext) -> Finished:
        with open_course("mine", config, context, adapters=1) as course:
            skills = course.draw_skills((1,))
            items = course.tasks(skills, "test", num_items=2)
            results = course.ask([Arm("none")], items, criterion=criterion)
            return course.finished(results, criterion=criterion, numbers={"rows": 9.0})

    recipe = Recipe(SkillTraining, run, controls=NO_CONTROLS)
    context = RecipeContext(
        small_base_dir, Store(tmp_path / "store"), tmp_path / "work", 1, SkillServer()
    )
    verdict = run_once("mine", recipe, SMALL, context).verdict
    assert [clause.holds for clause in verdict.criterion.clauses] == [True, False]
    assert [clause.seen for clause in verdict.criterion.clauses] == [9.0, None]


def test_what_was_trained_on_is_not_asked(small_base_dir: Path, tmp_path: Path) -> None:
    with opened(small_base_dir, tmp_path) as at:
        shown = at.course.tasks(at.skills, "train", num_items=2)
        assert is_dataclass(shown[0])
        cheat = replace(shown[0], split="test")
        assert (cheat.id, cheat.split) == (shown[0].id, "test")
        with pytest.raises(ValueError, match="in split 'train' and again in 'test'"):
            at.course.ask([none_arm(), text_arm(at.skills)], [cheat], criterion=CRITERION)
        assert at.server.asked == []


def test_a_course_may_serve_more_rank_than_it_trains(small_base_dir: Path, tmp_path: Path) -> None:
    server = SkillServer()
    context = RecipeContext(small_base_dir, Store(tmp_path / "store"), tmp_path, 1, server)
    with open_course("mine", SMALL, context, adapters=3, rank=8):
        assert [(plan.rank, plan.slots) for plan in server.plans] == [(8, 3)]
