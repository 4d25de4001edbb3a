"""A recipe of one's own: written, run, compared, frozen, and refused where it makes no sense.

The server is a script that follows the first text it is given, so every verdict is known.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from skillweave.adapters.errors import Conflict, UsageError
from skillweave.distill.evaluation import Budget, NotAsFrozen
from skillweave.distill.recipes.own_file import load_recipe
from skillweave.distill.serving import Served, ServePlan
from skillweave.scripts.commands.recipe_compare import compare, table
from skillweave.scripts.commands.recipe_new import write_recipe
from skillweave.scripts.commands.recipe_running import Conditions, find_recipe, run_seed

from ..followers import follow, system_of
from ..scripted_teacher import Body, Reply, ScriptedTeacher


@dataclass
class Following:
    """A launch whose server works through the text, and counts what it was asked."""

    asked: int = field(default=0)

    @contextmanager
    def __call__(self, plan: ServePlan) -> Iterator[Served]:
        with ScriptedTeacher(self._answer) as running:
            yield running

    def _answer(self, body: Body) -> Reply:
        self.asked += 1
        text = system_of(body)
        half = text[: len(text) // 2].rstrip()
        return follow(half if text == f"{half}\n\n{half}" else text, body)


def small(folder: Path, name: str = "twice") -> str:
    """The template as it is, with fewer items."""
    code, settings = write_recipe(name, folder)
    settings.write_text(f'type = "{name}"\nlevels = [1, 2]\nnum_items = 6\n')
    return str(code)


@pytest.fixture
def conditions(small_base_dir: Path) -> Conditions:
    return Conditions(base=small_base_dir, launch=Following())


def test_the_template_runs_as_it_is(tmp_path: Path, conditions: Conditions) -> None:
    log = tmp_path / "items.jsonl"
    run = run_seed(find_recipe(small(tmp_path)), 3, conditions, log_file=log)
    verdict = run.verdict
    assert verdict.status == "works"
    assert {name: arm.mean for name, arm in verdict.arms.items() if name != "shuffled"} == {
        "none": 0.0, "text": 1.0, "oracle": 1.0, "twice": 1.0
    }  # fmt: skip
    assert verdict.controls["shuffled"] == "shuffled"
    assert verdict.controls["random"].startswith("absent: ")
    assert verdict.frozen is not None
    assert verdict.frozen.criterion == verdict.criterion.digest
    assert len(log.read_text().splitlines()) == 5 * 12
    assert len(Path(small(tmp_path, "again")).read_text().splitlines()) <= 60


@pytest.mark.slow
def test_arms_are_shared_between_recipes_and_said_so(
    tmp_path: Path, conditions: Conditions
) -> None:
    assert isinstance(conditions.launch, Following)
    run_seed(find_recipe(small(tmp_path)), 0, conditions)
    first = conditions.launch.asked
    other = run_seed(find_recipe(small(tmp_path, "other")), 0, conditions)
    assert set(other.verdict.reused) == {"none", "text", "shuffled", "other"}
    assert conditions.launch.asked == first  # also its method: the same texts under another name
    assert any("were reused" in note for note in other.verdict.notes)


@pytest.mark.slow
def test_a_frozen_recipe_is_refused_once_its_code_changed(
    tmp_path: Path, conditions: Conditions
) -> None:
    code, freeze = small(tmp_path), tmp_path / "freeze.json"
    run_seed(find_recipe(code), 0, conditions, freeze_file=freeze)
    run_seed(find_recipe(code), 0, conditions, freeze_file=freeze)
    Path(code).write_text(Path(code).read_text() + "\n# a change\n")
    with pytest.raises(NotAsFrozen, match="code"):
        run_seed(find_recipe(code), 0, conditions, freeze_file=freeze)


@pytest.mark.slow
def test_recipes_are_compared_on_the_same_items(tmp_path: Path, conditions: Conditions) -> None:
    good, bad = small(tmp_path, "good"), small(tmp_path, "bad")
    spoiled = Path(bad).read_text().replace("[system_prompt(skill)] * 2", '["no idea"] * 2')
    Path(bad).write_text(spoiled.replace("bar=0.30", "bar=-2"))
    out = tmp_path / "out"
    found = compare([good, bad], num_seeds=3, conditions=conditions, out=out)
    (pair,) = found.pairs
    assert (pair.a, pair.b, pair.diff, pair.winner) == ("good", "bad", 1.0, "good")
    assert (found.seeds, set(pair.per_seed)) == ((0, 1, 2), {0, 1, 2})
    assert len(found.verdicts) == 6
    assert "good minus bad: +1.000 [+1.000, +1.000]" in table(found)
    assert json.loads((out / "contest.json").read_text())["means"] == {"good": 1.0, "bad": 0.0}
    kinds = {path.suffix for path in out.iterdir()}
    assert kinds == {".json", ".jsonl", ".md", ".csv", ".tex", ".svg"}
    with pytest.raises(Conflict, match="not empty"):
        compare([good, bad], num_seeds=1, conditions=conditions, out=out)


def test_what_cannot_be_compared_is_refused(tmp_path: Path, conditions: Conditions) -> None:
    code = small(tmp_path)
    with pytest.raises(UsageError, match="at least two"):
        compare([code], num_seeds=1, conditions=conditions)
    with pytest.raises(UsageError, match="each of them once"):
        compare([code, code], num_seeds=1, conditions=conditions)


def test_a_world_or_a_set_of_arms_that_a_recipe_does_not_declare_is_refused(
    tmp_path: Path, small_base_dir: Path
) -> None:
    named = find_recipe(small(tmp_path))
    launch = Following()
    with pytest.raises(UsageError, match="does not run on world 'household'"):
        run_seed(named, 0, Conditions(small_base_dir, world="household", launch=launch))
    with pytest.raises(UsageError, match="no full set of arms"):
        run_seed(named, 0, Conditions(small_base_dir, full=True, launch=launch))
    assert launch.asked == 0


def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        load_recipe(tmp_path / "gone.py")
    (tmp_path / "empty.py").write_text("RECIPE = 5\n")
    with pytest.raises(UsageError, match="defines no RECIPE"):
        load_recipe(tmp_path / "empty.py")


def test_a_template_never_overwrites_and_wants_the_name_of_a_module(tmp_path: Path) -> None:
    write_recipe("mine", tmp_path)
    (tmp_path / "mine.py").unlink()
    with pytest.raises(Conflict, match=r"mine\.toml exists"):
        write_recipe("mine", tmp_path)
    assert not (tmp_path / "mine.py").exists()
    for name in ("Mine", "1st", "a-b", "../x", ""):
        with pytest.raises(UsageError, match="recipe name"):
            write_recipe(name, tmp_path)


def test_every_run_has_the_whole_budget(tmp_path: Path, small_base_dir: Path) -> None:
    budget = Budget({"rollouts": 7})
    budget.spend("rollouts", 7)
    conditions = Conditions(small_base_dir, budget=budget, launch=Following())
    verdict = run_seed(find_recipe(small(tmp_path)), 0, conditions).verdict
    assert verdict.budget is not None
    assert (verdict.budget.limits, verdict.budget.spent["rollouts"]) == ({"rollouts": 7}, 0)
