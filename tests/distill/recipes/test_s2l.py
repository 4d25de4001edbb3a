"""S2L from skill texts to a verdict, against a server that follows texts and adapters."""

import json
import tomllib
from pathlib import Path

import pytest
from skillweave.adapters.skills import Skill, validate_skill
from skillweave.adapters.store.store import Store
from skillweave.distill.evaluation import RecipeVerdict
from skillweave.distill.learning.sft import SftSettings
from skillweave.distill.recipes import RecipeContext, recipe_table, verdict_of
from skillweave.distill.recipes.drawing import draw_skills
from skillweave.distill.recipes.s2l import CRITERION, S2L
from skillweave.distill.worlds.string_skills import CHECKER_KEY, SkillSpec, is_held_out

from .skill_server import SkillServer

SMALL = S2L(
    num_requests=8,
    preflight_requests=2,
    min_demonstrations=2,
    num_items=8,
    sft=SftSettings(rank=1, epochs=1, batch_rows=8),
)


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


def run(
    small_base_dir: Path, tmp_path: Path, *, obey: bool, num_lost: int = 0
) -> tuple[RecipeVerdict, Store, SkillServer]:
    skills = drawn(tmp_path / "drawn", seed=1)
    server = SkillServer(obey, [skill.body.strip() for skill in skills[:num_lost]])
    store = Store(tmp_path / "store")
    context = RecipeContext(small_base_dir, store, tmp_path / "work", 1, server)
    return verdict_of("s2l", recipe_table()["s2l"], SMALL, context), store, server


@pytest.mark.slow
def test_adapters_that_replace_their_texts_meet_the_criterion(
    small_base_dir: Path, tmp_path: Path
) -> None:
    verdict, store, server = run(small_base_dir, tmp_path, obey=True)
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
    assert sorted(server.published) == sorted(version.ref for version in versions)
    assert [(plan.rank, plan.slots) for plan in server.plans] == [(1, 6)]
    # The verdict names the base it speaks of, and survives its file.
    assert verdict.base == versions[0].base
    assert RecipeVerdict.model_validate_json(verdict.model_dump_json()) == verdict


@pytest.mark.slow
def test_a_skill_that_cannot_be_taught_takes_part_without_an_adapter(
    small_base_dir: Path, tmp_path: Path
) -> None:
    verdict, store, server = run(small_base_dir, tmp_path, obey=True, num_lost=1)
    assert len(store.list()) == len(server.published) == 5
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
