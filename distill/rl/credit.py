"""What a term says about a trajectory, and where its tokens stand in that. Pure.

Owns the three grains of credit: one number for all of it, one a turn, one a token, and two ways to
say the last. Refuses to own where the numbers come from (`terms.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...adapters.errors import UsageError
from ..rollouts.learnable import RolloutRow
from ..rollouts.trajectory import Provenance
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


def by_provenance(rows: Sequence[RolloutRow], values: Mapping[Provenance, float]) -> PerToken:
    """One number for whoever wrote a token: a prefix apart from its continuation. Others get 0."""
    return PerToken(tuple(tuple(values.get(one, 0.0) for one in row.provenance) for row in rows))


def by_turn_tokens(
    rows: Sequence[RolloutRow],
    turns: Sequence[Sequence[float]],
    *,
    provenance: Provenance = "policy",
) -> PerToken:
    """Numbers for the tokens of one provenance, turn by turn, as re-scoring an answer gives them.

    Args:
        turns: for each turn of the trajectory as many numbers as it has such tokens.

    Raises:
        UsageError: it has more or fewer.
    """
    left: list[Iterator[float]] = [iter(one) for one in turns]
    sizes = [0] * len(turns)
    for row in rows:
        for turn, who in zip(row.turns, row.provenance, strict=True):
            if who == provenance and turn < len(sizes):
                sizes[turn] += 1
    given, num_turns = (
        [len(one) for one in turns],
        max((max(row.turns) for row in rows), default=-1),
    )
    if sizes != given or num_turns + 1 != len(turns):
        raise UsageError(
            f"numbers for {given} tokens of {len(given)} turns, expected {sizes} of {num_turns + 1}"
        )
    return PerToken(
        tuple(
            tuple(
                next(left[turn]) if who == provenance else 0.0
                for turn, who in zip(row.turns, row.provenance, strict=True)
            )
            for row in rows
        )
    )
