"""The guide to recipes is one session: every block runs, in order, and does what the page says.

Commands are read by the command line's own parser and run with a scripted server in place of the
engine, and with fewer requests than the page asks for.
"""

import importlib
import random
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from skillweave.adapters.skills import writing_problems
from skillweave.distill.evaluation import Budget, RecipeVerdict, read_verdicts
from skillweave.distill.evaluation.controls import CONTROLS
from skillweave.distill.recipes.comparing import Contest
from skillweave.distill.recipes.course import Course
from skillweave.distill.recipes.own_file import load_recipe
from skillweave.distill.worlds.types import Task
from skillweave.distill.worlds.world import World
from skillweave.scripts.cli import load, main
from skillweave.scripts.commands.recipe import append_verdict
from skillweave.scripts.commands.recipe_compare import compare
from skillweave.scripts.commands.recipe_running import Conditions, find_recipe, run_seed
from skillweave.scripts.exams.world_episodes import HOSTILE, hostile_answer
from skillweave.scripts.make_results import page

from ..worlds import test_conformance as conformance
from .skill_server import SkillServer

SMALL = """
levels = [1, 2]
num_items = 4
num_requests = 16
preflight_requests = 2
sft = { rank = 1, epochs = 1 }
"""


@pytest.fixture
def guide(repository: Path) -> str:
    return (repository / "docs" / "guide" / "write-a-recipe.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


def asked(line: str) -> tuple[str, dict[str, object]]:
    """What a line asks of `skillweave recipe`: its verb, and the value of every option."""
    name, verb, what, *words = shlex.split(line)
    assert (name, verb) == ("skillweave", "recipe")
    group = typer.main.get_command(load("recipe"))
    command = group.commands[what]  # type: ignore[attr-defined]
    return what, command.make_context(what, words).params


def in_the_folder(name: str) -> str:
    """The page puts the recipe into the tree; here it stays a file."""
    return name if name.endswith(".py") else f"{name}.py"


def run(options: dict[str, object], conditions: Callable[..., Conditions]) -> RecipeVerdict:
    named = find_recipe(in_the_folder(str(options["name"])))
    world, out = options["world"], options["out"]
    made = conditions(world=world, budget=Budget.parse(str(options["budget"])))
    log, freeze = options["items"], options["freeze"]
    assert log is None or isinstance(log, Path)
    assert freeze is None or isinstance(freeze, Path)
    verdict = run_seed(named, int(str(options["seed"])), made, log_file=log, freeze_file=freeze)
    if isinstance(out, Path):
        append_verdict(out, verdict.verdict)
    return verdict.verdict


@pytest.mark.slow
def test_every_command_and_recipe_of_the_guide_runs(
    guide: str, small_base_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()

    def conditions(**said: object) -> Conditions:
        return Conditions(small_base_dir, launch=SkillServer(), **said)  # type: ignore[arg-type]

    recipe, test = blocks(guide, "python")[:2]
    verdicts: list[RecipeVerdict] = []
    for line in "".join(blocks(guide, "bash")).splitlines():
        what, options = asked(line)
        if what == "run":
            verdicts.append(run(options, conditions))
        elif what == "compare":
            found = compare(
                list(options["names"]),  # type: ignore[call-overload]
                num_seeds=int(str(options["seeds"])),
                conditions=conditions(budget=Budget.parse(str(options["budget"]))),
                out=Path(str(options["out"])),
            )
        else:
            assert main(shlex.split(line)[1:]) == 0, line
        if what == "new":
            name = str(options["name"])
            own = "num_rows = 8\n" if name == "few" else ""
            Path(f"{name}.toml").write_text(f'type = "{name}"\n{own}{SMALL}')
            if name == "few":
                Path("few.py").write_text(recipe)
    strings, facts = verdicts[:-1], verdicts[-1]
    assert [verdict.seeds["run"] for verdict in strings] == [1, 0, 1, 2]
    assert {verdict.status for verdict in strings} == {"works"}
    assert strings[2].reused.keys() == strings[2].arms.keys()  # seed 1 a second time
    assert strings[2].reused["few"] != strings[2].reused["many"]  # other weights: fewer rows
    assert (facts.world, facts.status) == ("facts", "absent-phenomenon")  # it reads lists only
    assert read_verdicts(tmp_path / "results" / "few.json") == tuple(strings[1:])
    assert "| few | few minus many |" in page({"few": tuple(strings[1:])})
    assert len((tmp_path / "items.jsonl").read_text().splitlines()) == 5 * 2 * 4
    assert (tmp_path / "few.freeze.json").is_file()
    assert isinstance(found, Contest)
    assert found.arms == {"few": "few", "twice": "twice"}
    assert (tmp_path / "contest" / "contest.json").is_file()
    told = {"__name__": "few_test", "__package__": __package__}
    exec(compile(test, "guide", "exec"), told)
    tests = [value for name, value in told.items() if name.startswith("test_")]
    assert len(tests) == 2
    for one in tests:
        one(small_base_dir)  # type: ignore[operator]


def test_the_settings_shown_are_those_of_the_recipe_shown(guide: str, tmp_path: Path) -> None:
    (tmp_path / "few.py").write_text(blocks(guide, "python")[0])
    recipe = load_recipe(tmp_path / "few.py")
    (settings,) = blocks(guide, "toml")
    assert recipe.settings.model_validate(tomllib.loads(settings)) == recipe.settings()
    budget = Budget.parse("rollouts=1200")
    assert f"--budget rollouts={budget.limits['rollouts']}" in guide
    assert recipe.settings_within(recipe.settings(), budget) == recipe.settings()


def test_the_world_of_the_guide_is_one(guide: str) -> None:
    told: dict[str, object] = {"__name__": "marks"}
    exec(compile(blocks(guide, "python")[2], "guide", "exec"), told)
    world: World = told["WORLD"]  # type: ignore[assignment]
    skill = world.skill(1, seed=3)
    assert skill == world.skill(1, seed=3)
    assert skill.name != world.skill(1, seed=3, held_out=False).name
    assert writing_problems(skill) == []
    train = world.tasks(skill, "train", 50, seed=1)
    assert train == world.tasks(skill, "train", 50, seed=1)
    conformance.test_splits_share_no_task(world)
    for checker in ("[" * 100_000, "", "bc", "0"):
        conformance.test_a_hostile_checker_is_an_error_with_a_short_message(world, checker)
    rng = random.Random(0)
    passed = [task.verify(world.guess(task, rng)).passed for task in train]
    assert sum(passed) / 50 <= world.spec.random_rate
    for task in train[:5]:
        assert isinstance(task, Task)
        episode = task.environment()
        assert episode.reset(0).messages == task.messages
        assert episode.step(str(episode.expert())).reward == 1.0
        assert not task.verify(" " * 20_000 + task.expected).passed  # type: ignore[attr-defined]
        assert not any(task.verify(hostile_answer(kind, "made")).passed for kind in HOSTILE)


def test_what_the_guide_names_exists(guide: str, repository: Path) -> None:
    verbs = re.findall(r"^\| `(\w+)\(", guide, re.M)
    assert len(verbs) == 8
    assert all(callable(getattr(Course, verb)) for verb in verbs)
    assert all(f"`{control}`" in guide for control in CONTROLS)
    for path in re.findall(r"`((?:distill|tests|configs|docs)/[\w/.-]+)`", guide):
        assert (repository / path).exists() or path.endswith(("few.py", "few.toml")), path
    for module in re.findall(r"`python -m ([\w.]+)", guide):
        assert importlib.import_module(module)
    for target in re.findall(r"\]\(([\w./-]+)\)", guide):
        assert (repository / "docs" / "guide" / target).is_file(), target


def test_the_rooms_table_names_every_module(repository: Path) -> None:
    room = repository / "distill" / "recipes"
    table = (room / "README.md").read_text()
    modules = {file.name for file in room.glob("*.py")} - {"__init__.py"}
    assert {name for name in modules if f"| `{name}` |" not in table} == set()
