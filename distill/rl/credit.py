"""What a term says about a trajectory, and where its tokens stand in that. Pure.

Owns the three grains of credit: one number for all of it, one a turn, one a token. Refuses to own
where the numbers come from (`terms.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ...adapters.errors import UsageError
from ..rollouts.learnable import RolloutRow
from .groups import Series


@dataclass(frozen=True, slots=True)
class PerTurn:
    """One number for each turn of the trajectory."""

    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PerToken:
    """One number for each token of each row; what stands on prompt tokens is never read."""

    rows: Series


Credit = float | PerTurn | PerToken
"""Of one trajectory."""


def credit_of(credit: Credit, rows: Sequence[RolloutRow], number: int) -> tuple[float, ...]:
    """The credit of every token of one row.

    Args:
        rows: all rows of the trajectory.
        number: which of them.

    Raises:
        UsageError: there is no credit for a turn, a row or a token.
    """
    row = rows[number]
    if isinstance(credit, PerTurn):
        if max(row.turns) >= len(credit.values):
            raise UsageError(
                f"credit for {len(credit.values)} turns, the trajectory has {max(row.turns) + 1}: "
                "expected a number for each"
            )
        return tuple(credit.values[turn] for turn in row.turns)
    if isinstance(credit, PerToken):
        sizes, expected = [len(one) for one in credit.rows], [len(one.ids) for one in rows]
        if sizes != expected:
            raise UsageError(
                f"credit for rows of {sizes} tokens, expected {expected}, as `rows_of` makes them"
            )
        return credit.rows[number]
    return (float(credit),) * len(row.ids)
