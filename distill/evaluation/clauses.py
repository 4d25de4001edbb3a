"""What a criterion is made of: quantities, and clauses that hold them against a bar. Pure.

Owns the two and their words. Refuses to own which clauses make a criterion (`criterion.py`) and
the figures (`summary.py`). To add a kind of clause: a class with `type`, `what`, `bar` and
`test(seen)`, and its name in the union `Clause`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from .stats import Interval

On = Literal["estimate", "lower", "upper"]


class Frozen(BaseModel):
    """Data that is written before a run: no unknown field, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Mean(Frozen):
    """The mean of one arm."""

    type: Literal["mean"] = "mean"
    arm: str

    def __str__(self) -> str:
        return self.arm


class Diff(Frozen):
    """Arm `a` minus arm `b`, paired."""

    type: Literal["diff"] = "diff"
    a: str
    b: str

    def __str__(self) -> str:
        return f"{self.a} minus {self.b}"


class Measured(Frozen):
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


class _Clause(Frozen):
    what: Quantity
    bar: float
    """In the unit of the quantity: 0.03 is three points."""


class Above(_Clause):
    """The quantity lies above the bar, strictly.

    On a difference, or a measured figure with an interval, a bar of 0 or more claims a win:
    besides the bar itself the whole interval must then lie above 0, whatever `on` says.
    """

    type: Literal["above"] = "above"
    on: On = "estimate"
    """Which number is held against the bar: the estimate or an end of its interval."""

    def __str__(self) -> str:
        return f"{_named(self.what, self.on)} > {self.bar:g}"

    def test(self, seen: Interval) -> tuple[bool, str]:
        """Whether it holds, and why not where the bar alone would have held."""
        reached = _pick(seen, self.on) > self.bar
        if reached and not isinstance(self.what, Mean) and self.bar >= 0 and seen.low <= 0:
            return False, "the interval includes 0, so this is no win"
        return reached, ""


class Below(_Clause):
    """The quantity lies below the bar, strictly; a difference or measured figure that is claimed to
    be below 0 is a win of the other side and needs its whole interval below 0."""

    type: Literal["below"] = "below"
    on: On = "estimate"
    """Which number is held against the bar: the estimate or an end of its interval."""

    def __str__(self) -> str:
        return f"{_named(self.what, self.on)} < {self.bar:g}"

    def test(self, seen: Interval) -> tuple[bool, str]:
        """Whether it holds, and why not where the bar alone would have held."""
        reached = _pick(seen, self.on) < self.bar
        if reached and not isinstance(self.what, Mean) and self.bar <= 0 and seen.high >= 0:
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


def _pick(seen: Interval, on: On) -> float:
    return {"estimate": seen.estimate, "lower": seen.low, "upper": seen.high}[on]


def _named(what: Mean | Diff | Measured, on: On) -> str:
    return str(what) if on == "estimate" else f"{on} bound of {what}"
