"""How a recipe is run: what it is given, what it gives back, and the verdict made of it.

Owns nothing of any paper. A recipe is a settings class and one function `run(config, context)`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from ...adapters import Store
from ..evaluation import Criterion, RecipeVerdict, judge, recipe_verdict
from ..evaluation.types import ItemResult
from ..provenance import code_revision
from ..serving import Launch
from ..workbench import Report, quiet


@dataclass(frozen=True)
class RecipeContext:
    """What every recipe is given: a base, an empty store, a folder, a seed and a way to serve."""

    base: Path
    store: Store
    work: Path
    seed: int
    launch: Launch
    report: Report = quiet


@dataclass(frozen=True)
class Finished:
    """What a recipe gives back: results of items under its criterion, and what they cost."""

    criterion: Criterion
    source: str
    results: tuple[ItemResult, ...]
    rollouts: int
    base: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """One row of the table: settings and the function that runs them."""

    settings: type[BaseModel]
    run: Callable[..., Finished]


def verdict_of(
    name: str, recipe: Recipe, config: BaseModel, context: RecipeContext
) -> RecipeVerdict:
    """Run a recipe and judge it by the criterion that it wrote before."""
    started = time.perf_counter()
    done = recipe.run(config, context)
    judgement = judge(done.results, done.criterion, seed=context.seed)
    return recipe_verdict(
        judgement,
        done.criterion,
        recipe=name,
        source=done.source,
        seeds={"run": context.seed, "bootstrap": context.seed},
        base=done.base,
        code=code_revision(),
        wall_s=round(time.perf_counter() - started, 1),
        rollouts=done.rollouts,
        notes=done.notes,
    )
