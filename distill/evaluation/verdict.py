"""The verdict of one recipe run: what `recipe run --json` prints and `results/` keeps.

Owns: the pydantic model of that JSON and how it is built from a `Judgement`. Refuses to own: how
to decide (`criterion`) and how to compute (`summary`). The task-level `Verdict` of the worlds is
another thing; this one is named `RecipeVerdict`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from .budget import Budget
from .controls import Controls, in_words
from .criterion import ClauseResult, Criterion, Scope, Status
from .freeze import Freeze
from .summary import Judgement


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class TokenFigure(_Frozen):
    """Mean tokens an answered item."""

    prompt: float
    completion: float


class ArmFigure(_Frozen):
    """One arm: the share of items passed and its 95 % interval clustered by skill."""

    mean: float
    ci: tuple[float, float]
    n: int
    tokens: TokenFigure
    failures: int = 0
    """Failed requests; they count as not passed."""


class DiscordantFigure(_Frozen):
    """Items that one arm alone passed."""

    only_a: int
    only_b: int


class ComparisonFigure(_Frozen):
    """Arm a minus arm b, paired by item, with its 95 % interval clustered by skill."""

    a: str
    b: str
    diff: float
    ci: tuple[float, float]
    discordant: DiscordantFigure
    p_mcnemar: float
    """Exact two-sided p, blind to clusters; for information."""
    p: float | None = None
    """Two-sided p on the clusters; None in verdicts from before it was kept."""
    p_holm: float | None = None
    """`p` corrected for all comparisons of this verdict."""


class BudgetFigure(_Frozen):
    """What was allowed and what was spent, by kind: rollouts, tokens, teacher_calls."""

    limits: dict[str, int]
    spent: dict[str, int]


class ClauseFigure(_Frozen):
    """One clause: as written before the run, and what was seen."""

    clause: str
    bar: float
    seen: float | None
    """None: not measured, which never holds."""
    ci: tuple[float, float] | None
    holds: bool
    note: str = ""


class CriterionFigure(_Frozen):
    """The criterion and how each clause came out."""

    statement: str
    digest: str
    """SHA-256 of the criterion as written before the run."""
    preconditions: tuple[ClauseFigure, ...] = ()
    clauses: tuple[ClauseFigure, ...]


class RecipeVerdict(_Frozen):
    """One recipe on one seed."""

    recipe: str
    source: str
    """The paper, with its arXiv id."""
    criterion: CriterionFigure
    arms: dict[str, ArmFigure]
    comparisons: tuple[ComparisonFigure, ...]
    seeds: dict[str, int]
    """Every seed of the run by what it is for."""
    base: str
    """Family digest of the base."""
    code: str
    """Revision of the code."""
    wall_s: float
    rollouts: int
    """Completions sampled for training; evaluation is not counted."""
    status: Status
    scope: Scope
    """The set of arms that `status` speaks of."""
    world: str = ""
    """The world, where it is not the recipe's own."""
    notes: tuple[str, ...] = ()
    """What a reader of the figures must know, one sentence each."""
    controls: dict[str, str] = {}
    """Every control by name: the arm that is it, or `absent: ` and why."""
    frozen: Freeze | None = None
    """Digests of items, arms, criterion and code, taken before the first request."""
    reused: dict[str, str] = {}
    """Arms whose answers were not asked for again, with the fingerprint they were found under."""
    budget: BudgetFigure | None = None
    """None where the recipe does not spend through a budget."""


def recipe_verdict(
    judgement: Judgement,
    criterion: Criterion,
    *,
    recipe: str,
    source: str,
    seeds: dict[str, int],
    base: str,
    code: str,
    wall_s: float,
    rollouts: int,
    world: str = "",
    notes: Sequence[str] = (),
    controls: Controls | None = None,
    frozen: Freeze | None = None,
    reused: Mapping[str, str] | None = None,
    budget: Budget | None = None,
) -> RecipeVerdict:
    """Build the verdict of a run; `status` and `scope` come from the criterion alone."""
    checked = judgement.checked
    return RecipeVerdict(
        recipe=recipe,
        source=source,
        criterion=CriterionFigure(
            statement=criterion.statement,
            digest=criterion.digest,
            preconditions=tuple(_clause(result) for result in checked.preconditions),
            clauses=tuple(_clause(result) for result in checked.clauses),
        ),
        arms={
            arm.name: ArmFigure(
                mean=arm.mean,
                ci=arm.ci,
                n=arm.n,
                tokens=TokenFigure(prompt=arm.tokens.prompt, completion=arm.tokens.completion),
                failures=arm.failures,
            )
            for arm in judgement.arms
        },
        comparisons=tuple(
            ComparisonFigure(
                a=c.a,
                b=c.b,
                diff=c.diff,
                ci=c.ci,
                discordant=DiscordantFigure(only_a=c.discordant.only_a, only_b=c.discordant.only_b),
                p_mcnemar=c.p_mcnemar,
                p=c.p,
                p_holm=c.p_holm,
            )
            for c in judgement.comparisons
        ),
        seeds=seeds,
        base=base,
        code=code,
        wall_s=wall_s,
        rollouts=rollouts,
        status=checked.status,
        scope=criterion.scope,
        world=world,
        notes=tuple(notes),
        controls=in_words(controls or {}),
        frozen=frozen,
        reused=dict(reused or {}),
        budget=None if budget is None else _budget(budget),
    )


def write_verdicts(path: Path, verdicts: Sequence[RecipeVerdict]) -> None:
    """Write a committed result: a JSON list with one verdict a seed; never half of it."""
    rows = [verdict.model_dump(mode="json") for verdict in verdicts]
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)


def read_verdicts(path: Path) -> tuple[RecipeVerdict, ...]:
    """Read a committed result.

    Raises:
        ValueError: no JSON list, or (pydantic's) a field we do not know.
    """
    rows = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(rows, list):
        raise ValueError(f"{path} holds a {type(rows).__name__}, expected a list of verdicts")
    return tuple(RecipeVerdict.model_validate(row) for row in rows)


def _budget(budget: Budget) -> BudgetFigure:
    return BudgetFigure(
        limits={str(kind): limit for kind, limit in budget.limits.items()},
        spent={str(kind): amount for kind, amount in budget.spent.items()},
    )


def _clause(result: ClauseResult) -> ClauseFigure:
    seen = result.seen
    return ClauseFigure(
        clause=str(result.clause),
        bar=result.clause.bar,
        seen=None if seen is None else seen.estimate,
        ci=None if seen is None else (seen.low, seen.high),
        holds=result.holds,
        note=result.note,
    )
