"""What each way to compose does: one call of the algebra. Pure.

Owns the step from settings to mathematics and what a method asks of its terms. Refuses to own the
settings (`methods.py`) and the mathematics (`algebra/`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..algebra import (
    Rank,
    Truncated,
    bai_init,
    component_graft,
    concat,
    dare,
    magnitude,
    ties,
    truncate,
)
from ..delta import AdapterDelta
from ..errors import UsageError
from .methods import Bai, Dare, DareTies, Graft, Linear, Magnitude, Method, Ties, Vector


@dataclass(frozen=True, eq=False)
class Result:
    """What a method made; `error` is relative to what it aimed at, 0 where nothing was cut."""

    delta: AdapterDelta
    error: float
    errors: dict[str, float]


def apply(
    method: Method, deltas: Sequence[AdapterDelta], weights: Sequence[float], *, rank: Rank
) -> Result:
    """Compose.

    Args:
        deltas: one or more, of one base.
        weights: one for each.
        rank: of the result; "exact" cuts nothing off.

    Raises:
        UsageError: the method cannot work on these terms or this rank.
    """
    match method:
        case Linear():
            return _cut(concat(deltas, weights), rank)
        case Vector():
            if len(weights) != 2 or weights[0] != -weights[1] or weights[0] == 0:
                raise UsageError(
                    f"a skill vector of {len(weights)} term(s) with weights {list(weights)}: "
                    "expected two with opposite weights, as in 'after+before*-1'"
                )
            return _cut(concat(deltas, weights), rank)
        case Bai(a=a):
            if len(weights) != 2 or set(weights) != {1.0}:
                raise UsageError(
                    f"bai of {len(weights)} term(s) with weights {list(weights)}: expected "
                    "'instruct+distill' without weights; --a says how much of both"
                )
            return _cut(bai_init(deltas[0], deltas[1], a), rank)
        case Graft(keep=keep):
            grafted = component_graft(concat(deltas, weights), keep=keep)
            return _result(grafted) if rank == "exact" else _again(grafted, rank)
        case Ties(density=density):
            return _result(ties(deltas, weights, density=density, rank=_number(method, rank)))
        case Magnitude(density=density):
            return _result(magnitude(deltas, weights, density=density, rank=_number(method, rank)))
        case Dare(density=density, seed=seed) | DareTies(density=density, seed=seed):
            return _result(
                dare(
                    deltas,
                    weights,
                    density=density,
                    rank=_number(method, rank),
                    generator=torch.Generator().manual_seed(seed),
                    sign_election="total" if isinstance(method, DareTies) else "none",
                )
            )


def _cut(exact: AdapterDelta, rank: Rank) -> Result:
    if rank == "exact":
        return Result(exact, 0.0, dict.fromkeys(exact, 0.0))
    return _result(truncate(exact, rank=rank))


def _again(found: Truncated, rank: Rank) -> Result:
    raise UsageError(
        f"a graft keeps a share of the components, and rank {rank!r} cuts again: leave --rank out"
    )


def _result(found: Truncated) -> Result:
    return Result(found.delta, found.error, dict(found.errors))


def _number(method: Method, rank: Rank) -> int:
    if isinstance(rank, int):
        return rank
    asked = "exact" if rank == "exact" else "auto"
    raise UsageError(
        f"--rank {asked} with {method.type}: its result has full rank, so expected a number; "
        "the error says what that number costs"
    )
