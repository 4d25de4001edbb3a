"""S2L from skill texts to a verdict, against a server that follows texts and published adapters.

The server is a script: with a text in the system message it works through that text, under an
adapter's name it works through that adapter's skill, otherwise it has no idea. So the verdict is
known beforehand, and everything between is real: requests, verification, training, store, arms.
"""

import json
import tomllib
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from skillweave.adapters.skills import Skill, validate_skill
from skillweave.adapters.store.store import Store
from skillweave.distill.evaluation import RecipeVerdict
from skillweave.distill.learning.sft import SftSettings
from skillweave.distill.recipes import RecipeContext, recipe_table, verdict_of
from skillweave.distill.recipes.drawing import draw_skills
from skillweave.distill.recipes.s2l import CRITERION, S2L
from skillweave.distill.serving import Served, ServePlan
from skillweave.distill.worlds.string_skills import (
    CHECKER_KEY,
    SkillSpec,
    is_held_out,
    worked_answer,
)

from ..followers import NO_IDEA, follow_the_text, items_of, system_of
from ..scripted_teacher import Answer, Body, Raw, Reply, ScriptedTeacher

SMALL = S2L(
    num_requests=8,
    preflight_requests=2,
    min_demonstrations=2,
    num_items=8,
    sft=SftSettings(rank=1, epochs=1, batch_rows=8),
)
Launch = Callable[[ServePlan], AbstractContextManager[Served]]


def drawn(folder: Path, *, seed: int) -> list[Skill]:
    """The skills that the recipe draws by itself."""
    return draw_skills("string_skills", S2L().levels, folder=folder, seed=seed)


def test_the_settings_and_the_shipped_file_agree(repository: Path) -> None:
    text = (repository / "configs" / "recipes" / "s2l.toml").read_text()
    assert S2L.model_validate(tomllib.loads(text)) == S2L()
    with pytest.raises(ValueError, match="ranks"):
        S2L.model_validate({"ranks": 8})


def test_the_table_holds_recipes_whose_settings_name_them() -> None:
    for name, recipe in recipe_table().items():
        assert recipe.settings.model_fields["type"].default == name
        assert recipe.settings() == recipe.settings.model_validate({"type": name})


def test_drawn_skills_are_held_out_folders_by_seed(tmp_path: Path) -> None:
    skills = drawn(tmp_path / "one", seed=4)
    again = drawn(tmp_path / "two", seed=4)
    assert [skill.digest for skill in skills] == [skill.digest for skill in again]
    assert [skill.body for skill in drawn(tmp_path / "other", seed=5)] != [
        skill.body for skill in skills
    ]
    assert len(skills) == 6
    for skill in skills:
        assert skill.path is not None
        assert validate_skill(skill.path) == []
        assert is_held_out(SkillSpec.from_json(skill.metadata[CHECKER_KEY]))


def test_the_criterion_was_written_down() -> None:
    assert json.loads(CRITERION.model_dump_json())["preconditions"]
    assert len(CRITERION.clauses) == 3


def server(
    *, specs: dict[str, SkillSpec], obey: bool, lost: Collection[str] = ()
) -> tuple[Launch, list[ServePlan], list[Body]]:
    """A launch whose server answers under published names; `obey=False`: adapters do nothing.

    With the text of a skill in `lost` it has no idea.
    """
    plans: list[ServePlan] = []
    published: list[Body] = []

    def answer(body: Body) -> Reply:
        model = str(body["model"]).removesuffix(":adapter")
        if system_of(body) in lost:
            return NO_IDEA
        if system_of(body) or model == "base":
            return follow_the_text(body)
        if {"ref": model} not in published:
            return Raw(404, json.dumps({"error": {"message": f"unknown model {model}"}}))
        name = model.partition("@")[0].rpartition("/")[2]
        return Answer(worked_answer(specs[name], items_of(body))) if obey else NO_IDEA

    def admin(verb: str, body: Body) -> Reply:
        assert verb == "publish"
        published.append(body)
        return Raw(body="{}")

    @contextmanager
    def launch(plan: ServePlan) -> Iterator[Served]:
        plans.append(plan)
        with ScriptedTeacher(answer, admin=admin) as running:
            yield running

    return launch, plans, published


def run(
    small_base_dir: Path, tmp_path: Path, *, obey: bool, num_lost: int = 0
) -> tuple[RecipeVerdict, Store, list[ServePlan], list[Body]]:
    skills = drawn(tmp_path / "drawn", seed=1)
    specs = {skill.name: SkillSpec.from_json(skill.metadata[CHECKER_KEY]) for skill in skills}
    lost = [skill.body.strip() for skill in skills[:num_lost]]
    launch, plans, published = server(specs=specs, obey=obey, lost=lost)
    store = Store(tmp_path / "store")
    context = RecipeContext(small_base_dir, store, tmp_path / "work", 1, launch)
    return verdict_of("s2l", recipe_table()["s2l"], SMALL, context), store, plans, published


@pytest.mark.slow
def test_adapters_that_replace_their_texts_meet_the_criterion(
    small_base_dir: Path, tmp_path: Path
) -> None:
    verdict, store, plans, published = run(small_base_dir, tmp_path, obey=True)
    assert verdict.status == "works"
    means = {name: arm.mean for name, arm in verdict.arms.items()}
    assert (means["none"], means["text"], means["s2l"]) == (0.0, 1.0, 1.0)
    assert means["wrong"] < 0.3
    assert all(arm.n == 6 * 8 for arm in verdict.arms.values())
    assert verdict.rollouts == 6 * (8 + 2 * 2)
    assert (verdict.recipe, verdict.seeds["run"]) == ("s2l", 1)
    versions = store.list()
    assert len(versions) == 6
    assert {version.card.recipe.name for version in versions if version.card.recipe} == {"s2l"}
    assert sorted(str(body["ref"]) for body in published) == sorted(v.ref for v in versions)
    assert [(plan.rank, plan.slots) for plan in plans] == [(1, 6)]
    # The verdict names the base it speaks of, and survives its file.
    assert verdict.base == versions[0].base
    assert RecipeVerdict.model_validate_json(verdict.model_dump_json()) == verdict


@pytest.mark.slow
def test_a_skill_that_cannot_be_taught_takes_part_without_an_adapter(
    small_base_dir: Path, tmp_path: Path
) -> None:
    verdict, store, _, published = run(small_base_dir, tmp_path, obey=True, num_lost=1)
    assert len(store.list()) == len(published) == 5
    assert {arm.n for arm in verdict.arms.values()} == {6 * 8}
    assert verdict.arms["s2l"].mean == pytest.approx(5 / 6)
    lost = drawn(tmp_path / "again", seed=1)[0].name
    assert verdict.notes == (
        f"{lost}: 0 of 8 demonstrations verified, so no adapter; its arm asks the base",
    )


@pytest.mark.slow
def test_without_any_adapter_there_is_a_verdict_all_the_same(
    small_base_dir: Path, tmp_path: Path
) -> None:
    verdict, *_ = run(small_base_dir, tmp_path, obey=True, num_lost=6)
    assert set(verdict.arms) == {"none", "text", "s2l", "wrong"}
    assert verdict.status == "absent-phenomenon"
    assert len(verdict.notes) == 6


@pytest.mark.slow
def test_adapters_that_do_nothing_are_reported_as_not_shown(
    small_base_dir: Path, tmp_path: Path
) -> None:
    verdict, *_ = run(small_base_dir, tmp_path, obey=False)
    assert verdict.status == "not-shown"
    assert verdict.arms["s2l"].mean == 0.0
    assert [clause.holds for clause in verdict.criterion.clauses] == [False] * 3
