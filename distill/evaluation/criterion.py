"""Criteria: what an experiment must show, written down as data before it runs.

Owns: the quantities and clauses a criterion is made of, and the pure check that turns figures
into a status. Refuses to own: computing the figures (`summary`), and changing a bar afterwards:
a criterion is frozen and `Criterion.digest` goes into the verdict.

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

To add a kind of clause: a class with `type`, `what`, `bar` and `test(seen)`, and its name in the
union `Clause`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from .stats import Interval

Status = Literal["works", "not-shown", "absent-phenomenon"]
Scope = Literal["core", "full"]
On = Literal["estimate", "lower", "upper"]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Mean(_Frozen):
    """The mean of one arm."""

    type: Literal["mean"] = "mean"
    arm: str

    def __str__(self) -> str:
        return self.arm


class Diff(_Frozen):
    """Arm `a` minus arm `b`, paired."""

    type: Literal["diff"] = "diff"
    a: str
    b: str

    def __str__(self) -> str:
        return f"{self.a} minus {self.b}"


class Measured(_Frozen):
    """A number that no arm gives: a log-probability difference, seconds, a share of tokens."""

    type: Literal["measured"] = "measured"
    name: str

    def __str__(self) -> str:
        return self.name


Quantity = Annotated[Mean | Diff | Measured, Field(discriminator="type")]


def mean(arm: str) -> Mean:
    """The mean of one arm."""
    return Mean(arm=arm)


def diff(a: str, b: str) -> Diff:
    """Arm `a` minus arm `b`, paired."""
    return Diff(a=a, b=b)


def measured(name: str) -> Measured:
    """A number the caller measures himself and hands to `check`."""
    return Measured(name=name)


class _Clause(_Frozen):
    what: Quantity
    bar: float
    """In the unit of the quantity: 0.03 is three points."""


class Above(_Clause):
    """The quantity lies above the bar, strictly.

    On a difference a bar of 0 or more claims a win: besides the bar itself the whole interval
    must then lie above 0, whatever `on` says.
    """

    type: Literal["above"] = "above"
    on: On = "estimate"
    """Which number is held against the bar: the estimate or an end of its interval."""

    def __str__(self) -> str:
        return f"{_named(self.what, self.on)} > {self.bar:g}"

    def test(self, seen: Interval) -> tuple[bool, str]:
        """Whether it holds, and why not where the bar alone would have held."""
        reached = _pick(seen, self.on) > self.bar
        if reached and isinstance(self.what, Diff) and self.bar >= 0 and seen.low <= 0:
            return False, "the interval includes 0, so this is no win"
        return reached, ""


class Below(_Clause):
    """The quantity lies below the bar, strictly; a difference claimed to be below 0 is a win of
    the other arm and needs its whole interval below 0."""

    type: Literal["below"] = "below"
    on: On = "estimate"
    """Which number is held against the bar: the estimate or an end of its interval."""

    def __str__(self) -> str:
        return f"{_named(self.what, self.on)} < {self.bar:g}"

    def test(self, seen: Interval) -> tuple[bool, str]:
        """Whether it holds, and why not where the bar alone would have held."""
        reached = _pick(seen, self.on) < self.bar
        if reached and isinstance(self.what, Diff) and self.bar <= 0 and seen.high >= 0:
            return False, "the interval includes 0, so this is no win"
        return reached, ""


class Within(_Clause):
    """The estimate lies within the bar of 0 on either side, the bar included."""

    type: Literal["within"] = "within"

    def __str__(self) -> str:
        return f"|{self.what}| <= {self.bar:g}"

    def test(self, seen: Interval) -> tuple[bool, str]:
        """Whether it holds."""
        return abs(seen.estimate) <= self.bar, ""


Clause = Annotated[Above | Below | Within, Field(discriminator="type")]


class Criterion(_Frozen):
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
        every clause holds, else `not-shown`. A figure that is missing does not hold: what was
        not measured was not shown.
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
            seen = numbers.get(what.name)
            return (
                seen if seen is None or isinstance(seen, Interval) else Interval(seen, seen, seen)
            )


def _pick(seen: Interval, on: On) -> float:
    return {"estimate": seen.estimate, "lower": seen.low, "upper": seen.high}[on]


def _named(what: Mean | Diff | Measured, on: On) -> str:
    return str(what) if on == "estimate" else f"{on} bound of {what}"
