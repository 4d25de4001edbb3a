"""`skillweave recipe list | new | run | compare`: papers as recipes, and what their runs showed."""

import json as json_module
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from ...adapters import UsageError
from ...distill.evaluation import Budget, RecipeVerdict, read_verdicts, write_verdicts
from ...distill.recipes import num_lines, recipe_table
from .. import make_results
from ..make_results import seen_words
from . import recipe_compare, recipe_new
from .options import BaseDir, Json
from .recipe_running import Conditions, find_recipe, run_seed

MAX_SEED = 2**31 - 1
recipe = typer.Typer(help="Run a paper's recipe and print its verdict.", no_args_is_help=True)

World = Annotated[str | None, typer.Option(help="World; default: the recipe's own.")]
Spend = Annotated[
    str, typer.Option("--budget", help="Most to spend on learning, a seed: rollouts=N,tokens=N.")
]
Reuse = Annotated[
    bool, typer.Option(help="Reuse and keep answers of arms that are known by content.")
]


@recipe.command("list")
def list_recipes(
    json: Json = False,
) -> int:
    """List the recipes: papers, lengths, and what the committed results of each say."""
    rows = {
        name: {
            "source": entry.source,
            "status": committed_status(name),
            "worlds": list(entry.worlds),
            "lines": num_lines(entry),
            "module": entry.run.__module__,
        }
        for name, entry in recipe_table().items()
    }
    if json:
        print(json_module.dumps(rows, indent=1))
        return 0
    for name, row in rows.items():
        print(f"{name:20} {row['status']!s:30} {row['lines']!s:>4} lines  {row['source']}")
    return 0


@recipe.command("new")
def new_recipe(
    name: Annotated[str, typer.Argument(help="Name: small letters, digits, underscores.")],
    out: Annotated[Path, typer.Option(help="Folder for NAME.py and NAME.toml.")] = Path(),
) -> int:
    """Write a recipe of your own to start from; it runs as it is."""
    code, settings = recipe_new.write_recipe(name, out)
    print(f"{code}\n{settings}\nskillweave recipe run {code}")
    return 0


@recipe.command("run")
def run_recipe(
    name: Annotated[str, typer.Argument(help="Name of the recipe, or FILE.py.")],
    seed: Annotated[
        int, typer.Option(min=0, max=MAX_SEED, help="Seed of skills, requests and training.")
    ] = 0,
    base: BaseDir = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    out: Annotated[Path | None, typer.Option(help="Append the verdict to this JSON list.")] = None,
    world: World = None,
    full: Annotated[bool, typer.Option("--full", help="Ask the full set of arms.")] = False,
    budget: Spend = "",
    items: Annotated[Path | None, typer.Option(help="Append every item to this JSONL.")] = None,
    freeze: Annotated[
        Path | None,
        typer.Option(help="Freeze the experiment here, or refuse one that differs from it."),
    ] = None,
    reuse: Reuse = True,
    json: Json = False,
) -> int:
    """Run one recipe on one seed; exit 0 whatever the verdict says, 1 when it could not run.

    What `--out` holds is read before the run, and the verdict is printed before it is appended.
    """
    named = find_recipe(name, config)
    if out is not None:
        _kept(out)
    conditions = Conditions(base, world, full, Budget.parse(budget), reuse)
    verdict = run_seed(named, seed, conditions, log_file=items, freeze_file=freeze).verdict
    if json:
        print(json_module.dumps(verdict.model_dump(mode="json"), indent=1))
    else:
        _print(verdict)
    sys.stdout.flush()
    if out is not None:
        append_verdict(out, verdict)
    return 0


@recipe.command("compare")
def compare_recipes(
    names: Annotated[list[str], typer.Argument(help="Two recipes or more: names or FILE.py.")],
    world: World = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Seeds 0 to N-1.")] = 3,
    budget: Spend = "",
    base: BaseDir = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for verdicts, items, tables and pictures.")
    ] = None,
    reuse: Reuse = True,
    json: Json = False,
) -> int:
    """Run several recipes on the same tasks, seeds and budget, and compare them in pairs."""
    conditions = Conditions(base, world, budget=Budget.parse(budget), reuse=reuse)
    found = recipe_compare.compare(names, num_seeds=seeds, conditions=conditions, out=out)
    if json:
        print(json_module.dumps(found.model_dump(mode="json"), indent=1))
    else:
        print(recipe_compare.table(found))
    return 0


def committed_status(name: str, results: Path | None = None) -> str:
    """What the committed results of a recipe say, over its worlds and seeds: `works 2, ...`."""
    folder = results or make_results.ROOT / "results"
    found = [*folder.glob(f"{name}.json"), *folder.glob(f"{name}.*.json")]
    counts = Counter(verdict.status for path in found for verdict in read_verdicts(path))
    return ", ".join(f"{status} {count}" for status, count in sorted(counts.items())) or "not run"


def append_verdict(path: Path, verdict: RecipeVerdict) -> None:
    """Add a verdict to a list of them, in order of seed; one of the same seeds is replaced.

    Raises:
        UsageError: the file holds something else, or cannot be written; it is left as it is.
    """
    rows = [row for row in _kept(path) if row.seeds != verdict.seeds] + [verdict]
    try:
        write_verdicts(path, sorted(rows, key=lambda row: row.seeds.get("run", -1)))
    except OSError as err:
        raise UsageError(f"the verdict was not added to {path}: {err}") from err


def _kept(path: Path) -> tuple[RecipeVerdict, ...]:
    if not path.parent.is_dir():
        raise UsageError(f"--out {path}: there is no folder {path.parent}; make it first")
    try:
        return read_verdicts(path) if path.exists() else ()
    except (OSError, ValueError) as err:
        raise UsageError(
            f"--out {path} holds no JSON list of verdicts, so none is added: {err}"
        ) from err


def _print(verdict: RecipeVerdict) -> None:
    seed = verdict.seeds["run"]
    print(
        f"{verdict.recipe}, seed {seed}: {verdict.status} ({verdict.scope}), {verdict.wall_s:.0f} s"
    )
    for arm, figure in verdict.arms.items():
        print(f"  {arm:12} {figure.mean:.3f}  [{figure.ci[0]:.3f}, {figure.ci[1]:.3f}]  {figure.n}")
    for clause in (*verdict.criterion.preconditions, *verdict.criterion.clauses):
        seen = seen_words(clause.seen, clause.ci)
        print(f"  {'met   ' if clause.holds else 'MISSED'} {clause.clause}: {seen} {clause.note}")
    for note in verdict.notes:
        print(f"  {note}")
