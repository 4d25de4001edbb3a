"""What every verb about recipes does: find a recipe, read its settings, run it on one seed.

Owns the way from a name or a file to a `Run`. The folders of a run are temporary; answers of arms
are shared between runs in `$SKILLWEAVE_HOME/cache/arms`, which may be deleted at any time.
"""

import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from ...adapters import Store, UsageError
from ...adapters.settings import load_settings
from ...distill.evaluation import ArmCache, Budget, Trial
from ...distill.recipes import Recipe, RecipeContext, Run, recipe_table, run_once
from ...distill.recipes.own_file import load_recipe
from ...distill.serving import Launch
from ...distill.tiny_base import tiny_base_path
from ..launching import launcher
from ..progress import progress_bars


@dataclass(frozen=True)
class Named:
    """A recipe with its name and its settings."""

    name: str
    recipe: Recipe
    settings: BaseModel


@dataclass(frozen=True)
class Conditions:
    """What a run is given beside its seed; the same for every recipe of a comparison."""

    base: Path | None = None
    world: str | None = None
    """None is the recipe's own."""
    full: bool = False
    budget: Budget = Budget()  # noqa: RUF009 - read only: every run gets a renewed one
    reuse: bool = True
    """Whether answers of arms are looked up and kept."""
    launch: Launch | None = None
    """How a server is started; by default the real one."""


def find_recipe(name: str, config: Path | None = None) -> Named:
    """A recipe of the table by name, or one of a file that ends in `.py`.

    Args:
        config: TOML with settings; a file's own default is the TOML beside it, where there is one.

    Raises:
        UsageError: no such recipe, or settings that are not its own.
    """
    if name.endswith(".py"):
        path = Path(name)
        beside = path.with_suffix(".toml")
        recipe = load_recipe(path)
        return Named(path.stem, recipe, _settings(recipe, config or _if_there(beside)))
    table = recipe_table()
    if name not in table:
        raise UsageError(
            f"recipe {name!r} is unknown, expected one of {', '.join(table)}, or a file FILE.py"
        )
    return Named(name, table[name], _settings(table[name], config))


def run_seed(
    named: Named,
    seed: int,
    conditions: Conditions,
    *,
    log_file: Path | None = None,
    freeze_file: Path | None = None,
) -> Run:
    """One recipe on one seed, in folders that are gone afterwards."""
    home = load_settings()
    trial = Trial(
        freeze_file=freeze_file,
        cache=ArmCache(home.cache_root / "arms") if conditions.reuse else None,
        log_file=log_file,
    )
    with tempfile.TemporaryDirectory(prefix="skillweave-recipe-") as work, progress_bars() as bars:
        context = RecipeContext(
            base=conditions.base or tiny_base_path(),
            store=Store(Path(work) / "store"),
            work=Path(work),
            seed=seed,
            launch=conditions.launch or launcher(),
            report=bars,
            world=conditions.world or named.recipe.worlds[0],
            full=conditions.full,
            budget=conditions.budget.renewed(),
            trial=trial,
        )
        return run_once(named.name, named.recipe, named.settings, context)


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _settings(recipe: Recipe, config: Path | None) -> BaseModel:
    if config is None:
        return recipe.settings()
    try:
        return recipe.settings.model_validate(tomllib.loads(config.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as err:
        raise UsageError(f"{config} holds no settings of this recipe: {err}") from err
