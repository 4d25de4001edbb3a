"""Several recipes side by side: the same base, world, seeds, items and budget, paired.

Owns the pairing over seeds and the word "wins". Refuses to own running (the caller hands in one
`Run` for each recipe and seed) and printing.

Recipe a wins over b when the interval of its mean advantage over the seeds lies above 0 and the
p-value, corrected for all pairs of the table, lies below 0.05. One seed has no interval over
seeds, and seeds whose differences agree to the last digit have none either; then the one clustered
by skill speaks, of the first seed.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict

from ...adapters import UsageError
from ..evaluation import (
    ArmSummary,
    Comparison,
    ItemResult,
    RecipeVerdict,
    compare,
    holm,
    over_seeds,
    summarise,
)
from .run import Recipe, Run

LEVEL = 0.05
Runs = Mapping[str, Mapping[int, Run]]
"""Recipe -> seed -> run."""


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class PairFigure(_Frozen):
    """Recipe a minus recipe b: the share of items that the method's arm passes."""

    a: str
    b: str
    diff: float
    """Mean over the seeds."""
    ci: tuple[float, float]
    """95 % interval over the seeds; where they show no spread the one clustered by skill."""
    p: float
    p_holm: float
    """`p` corrected for all pairs of this table."""
    per_seed: dict[int, float]
    winner: str | None
    """None: no win was shown for either side."""


class Contest(_Frozen):
    """What `recipe compare` found."""

    world: str
    seeds: tuple[int, ...]
    budget: dict[str, int]
    """Limits that every recipe had on every seed; empty is none."""
    arms: dict[str, str]
    """Recipe -> the arm that was compared."""
    means: dict[str, float]
    """Recipe -> mean over the seeds of the share of items passed."""
    spent: dict[str, dict[str, int]]
    """Recipe -> what it spent, over all seeds."""
    pairs: tuple[PairFigure, ...]
    notes: tuple[str, ...] = ()
    verdicts: tuple[RecipeVerdict, ...]
    """Of every recipe on every seed."""


@dataclass(frozen=True)
class Figures:
    """The same as tables want it: summaries and comparisons, named by recipe, on one seed."""

    seed: int
    arms: tuple[ArmSummary, ...]
    comparisons: tuple[Comparison, ...]


def method_of(name: str, recipe: Recipe) -> str:
    """The arm that stands for a recipe.

    Raises:
        UsageError: the recipe names none.
    """
    if not recipe.method:
        raise UsageError(
            f"recipe {name!r} names no arm to compare: give its Recipe(...) method='ARM'"
        )
    return recipe.method


def contest(
    runs: Runs, *, methods: Mapping[str, str], world: str, budget: Mapping[str, int]
) -> tuple[Contest, tuple[Figures, ...]]:
    """Compare every pair of recipes over all seeds.

    Raises:
        EvaluationError: two recipes did not answer the same items on some seed.
    """
    names = list(runs)
    seeds = list(runs[names[0]])
    figures = [_on_one_seed(runs, methods, seed) for seed in seeds]
    pairs = [_pair(a, b, figures) for a, b in itertools.combinations(names, 2)]
    adjusted = holm({(pair.a, pair.b): pair.p for pair in pairs})
    one = "one seed: intervals speak of its skills and items, not of other seeds"
    found = Contest(
        world=world,
        seeds=tuple(seeds),
        budget=dict(budget),
        arms=dict(methods),
        means={
            name: over_seeds({f.seed: _arm(f, name).mean for f in figures}).mean for name in names
        },
        spent={name: _spent([run.verdict for run in runs[name].values()]) for name in names},
        pairs=tuple(_judged(pair, adjusted[pair.a, pair.b]) for pair in pairs),
        notes=(one,) if len(seeds) == 1 else (),
        verdicts=tuple(run.verdict for name in names for run in runs[name].values()),
    )
    return found, tuple(figures)


def _on_one_seed(runs: Runs, methods: Mapping[str, str], seed: int) -> Figures:
    """The methods' arms under the names of their recipes, paired by item."""
    rows = {name: _method_rows(name, runs[name][seed], methods[name]) for name in runs}
    return Figures(
        seed=seed,
        arms=tuple(summarise(found, seed=seed) for found in rows.values()),
        comparisons=tuple(
            compare(rows[a], rows[b], seed=seed) for a, b in itertools.combinations(rows, 2)
        ),
    )


def _method_rows(name: str, run: Run, arm: str) -> list[ItemResult]:
    rows = [replace(result, arm=name) for result in run.results if result.arm == arm]
    if not rows:
        raise UsageError(f"recipe {name!r} says its method is arm {arm!r}, which it did not run")
    return rows


def _pair(a: str, b: str, figures: Sequence[Figures]) -> PairFigure:
    found = {
        f.seed: next(pair for pair in f.comparisons if (pair.a, pair.b) == (a, b)) for f in figures
    }
    seen = over_seeds({seed: pair.diff for seed, pair in found.items()})
    alone = next(iter(found.values()))
    return PairFigure(
        a=a,
        b=b,
        diff=seen.mean,
        ci=alone.ci if seen.ci is None else seen.ci,
        p=alone.p if seen.p is None else seen.p,
        p_holm=1.0,
        per_seed=dict(seen.per_seed),
        winner=None,
    )


def _judged(pair: PairFigure, p_holm: float) -> PairFigure:
    apart = pair.ci[0] > 0 or pair.ci[1] < 0
    winner = (pair.a if pair.diff > 0 else pair.b) if apart and p_holm < LEVEL else None
    return pair.model_copy(update={"p_holm": p_holm, "winner": winner})


def _arm(figures: Figures, name: str) -> ArmSummary:
    return next(arm for arm in figures.arms if arm.name == name)


def _spent(verdicts: Sequence[RecipeVerdict]) -> dict[str, int]:
    total: dict[str, int] = {}
    for verdict in verdicts:
        for kind, amount in (verdict.budget.spent if verdict.budget else {}).items():
            total[kind] = total.get(kind, 0) + amount
    return total
