"""Criteria: what an experiment must show, written down as data before it runs.

Owns the criterion and the pure check that turns figures into a status. Refuses to own its clauses
(`clauses`, from where they are re-exported), computing the figures (`summary`), and changing a bar
afterwards: a criterion is frozen and `Criterion.digest` goes into the verdict.

    Criterion(
        statement="the adapter carries the skill",
        preconditions=(Above(what=diff("text", "none"), bar=0.30),),
        clauses=(
            Above(what=diff("s2l", "text"), bar=-0.03, on="lower"),
            Above(what=diff("s2l", "none"), bar=0.30),
            Within(what=diff("auto", "s2l"), bar=0.05),
            Below(what=measured("max_abs_dlogp"), bar=1e-4),
        ),
    )
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from .clauses import (
    Above,
    Below,
    Clause,
    Diff,
    Frozen,
    Mean,
    Measured,
    On,
    Quantity,
    Within,
    diff,
    mean,
    measured,
)
from .stats import Interval

__all__ = [
    "Above",
    "Below",
    "Checked",
    "Clause",
    "ClauseResult",
    "Criterion",
    "Diff",
    "Mean",
    "Measured",
    "On",
    "Quantity",
    "Scope",
    "Status",
    "Within",
    "check",
    "diff",
    "mean",
    "measured",
]

Status = Literal["works", "not-shown", "absent-phenomenon"]
Scope = Literal["core", "full"]


class Criterion(Frozen):
    """What must hold, in the order in which it is reported."""

    statement: str
    """One sentence: what is shown when every clause holds."""
    clauses: tuple[Clause, ...] = Field(min_length=1)
    preconditions: tuple[Clause, ...] = ()
    """What must hold for the question to make sense; one that fails: `absent-phenomenon`."""
    scope: Scope = "core"
    """Which set of arms the criterion speaks of."""

    @property
    def digest(self) -> str:
        """SHA-256 of the criterion; the same before and after the run."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def arms(self) -> tuple[str, ...]:
        """Every arm a clause names, sorted."""
        found: set[str] = set()
        for clause in (*self.preconditions, *self.clauses):
            if isinstance(clause.what, Mean):
                found.add(clause.what.arm)
            elif isinstance(clause.what, Diff):
                found.update((clause.what.a, clause.what.b))
        return tuple(sorted(found))

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every comparison a clause names, in order of appearance, once each."""
        all_clauses = (*self.preconditions, *self.clauses)
        return tuple(
            dict.fromkeys((c.what.a, c.what.b) for c in all_clauses if isinstance(c.what, Diff))
        )


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """One clause after the run."""

    clause: Above | Below | Within
    """As written before the run; `str` of it is the clause in words."""
    holds: bool
    seen: Interval | None
    """What was seen; None where it was not measured, which never holds."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """A criterion after the run."""

    status: Status
    clauses: tuple[ClauseResult, ...]
    preconditions: tuple[ClauseResult, ...] = ()


def check(
    criterion: Criterion,
    *,
    means: Mapping[str, Interval],
    differences: Mapping[tuple[str, str], Interval],
    numbers: Mapping[str, float | Interval] | None = None,
) -> Checked:
    """Hold a criterion against the figures of a run.

    Args:
        criterion: written before the run.
        means: per arm, the mean and its interval.
        differences: per (a, b), the paired difference and its interval.
        numbers: what `Measured` clauses ask for, by name; a number alone has no width.

    Returns:
        One result a clause, and `absent-phenomenon` when a precondition fails, else `works` when
        every clause holds, else `not-shown`. A figure that is missing, or no finite number, does
        not hold: what was not measured was not shown.
    """

    def judge(clause: Above | Below | Within) -> ClauseResult:
        seen = _figure(clause.what, means=means, differences=differences, numbers=numbers or {})
        if seen is None:
            return ClauseResult(clause, False, None, "not measured")
        holds, note = clause.test(seen)
        return ClauseResult(clause, holds, seen, note)

    preconditions = tuple(judge(clause) for clause in criterion.preconditions)
    clauses = tuple(judge(clause) for clause in criterion.clauses)
    status: Status = "works" if all(result.holds for result in clauses) else "not-shown"
    if not all(result.holds for result in preconditions):
        status = "absent-phenomenon"
    return Checked(status=status, clauses=clauses, preconditions=preconditions)


def _figure(
    what: Mean | Diff | Measured,
    *,
    means: Mapping[str, Interval],
    differences: Mapping[tuple[str, str], Interval],
    numbers: Mapping[str, float | Interval],
) -> Interval | None:
    """The quantity's figure, or None where the run did not produce it."""
    match what:
        case Mean():
            return means.get(what.arm)
        case Diff():
            return differences.get((what.a, what.b))
        case Measured():
            return _finite(numbers.get(what.name))


def _finite(seen: float | Interval | None) -> Interval | None:
    """A number as an interval; what is NaN or infinite was not measured."""
    if seen is None:
        return None
    found = seen if isinstance(seen, Interval) else Interval(seen, seen, seen)
    return found if all(map(math.isfinite, (found.estimate, found.low, found.high))) else None
