"""`skillweave recipe list | run NAME`: run a paper's recipe and print its verdict."""

import json as json_module
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, ValidationError

from ...adapters import Store, UsageError
from ...distill.evaluation import RecipeVerdict, read_verdicts, write_verdicts
from ...distill.recipes import Recipe, RecipeContext, recipe_table, verdict_of
from ...distill.tiny_base import tiny_base_path
from ..launching import launcher
from ..make_results import seen_words
from ..progress import progress_bars
from .options import Json

MAX_SEED = 2**31 - 1
recipe = typer.Typer(help="Run a paper's recipe and print its verdict.", no_args_is_help=True)


@recipe.command("list")
def list_recipes(
    json: Json = False,
) -> int:
    """List the recipes."""
    rows = {
        name: (entry.run.__module__, (entry.settings.__doc__ or "").strip())
        for name, entry in recipe_table().items()
    }
    if json:
        print(json_module.dumps({name: module for name, (module, _) in rows.items()}))
        return 0
    for name, (module, _) in rows.items():
        print(f"{name:20} {module}")
    return 0


@recipe.command("run")
def run_recipe(
    name: Annotated[str, typer.Argument(help="Name of the recipe.")],
    seed: Annotated[
        int, typer.Option(min=0, max=MAX_SEED, help="Seed of skills, requests and training.")
    ] = 0,
    base: Annotated[Path | None, typer.Option(help="Base model; default: the shipped one.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    out: Annotated[Path | None, typer.Option(help="Append the verdict to this JSON list.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> int:
    """Run one recipe on one seed; exit 0 whatever the verdict says, 1 when it could not run.

    What `--out` holds is read before the run, and the verdict is printed before it is appended.
    """
    entry = _entry(name)
    settings = _settings(entry, config)
    if out is not None:
        _kept(out)
    with tempfile.TemporaryDirectory(prefix="skillweave-recipe-") as work, progress_bars() as bars:
        context = RecipeContext(
            base=base or tiny_base_path(),
            store=Store(Path(work) / "store"),
            work=Path(work),
            seed=seed,
            launch=launcher(),
            report=bars,
        )
        verdict = verdict_of(name, entry, settings, context)
    if json:
        print(json_module.dumps(verdict.model_dump(mode="json"), indent=1))
    else:
        _print(verdict)
    sys.stdout.flush()
    if out is not None:
        append_verdict(out, verdict)
    return 0


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


def _entry(name: str) -> Recipe:
    table = recipe_table()
    if name not in table:
        raise UsageError(f"recipe {name!r} is unknown, expected one of {', '.join(table)}")
    return table[name]


def _settings(entry: Recipe, config: Path | None) -> BaseModel:
    if config is None:
        return entry.settings()
    try:
        return entry.settings.model_validate(tomllib.loads(config.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as err:
        raise UsageError(f"{config} holds no settings of this recipe: {err}") from err
