"""Merges that act on the entries of deltas, against PEFT's: same masks, same target, less time.

A part of the bench `compose`. Owns the comparison of masks and of distances. The random masks of
DARE are PEFT's own: our generator starts where PEFT's stream stands when it draws the first one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ...adapters.algebra import Truncated, dare, magnitude, ties
from ...adapters.algebra.dare import dare_rows
from ...adapters.algebra.magnitude import magnitude_rows
from ...adapters.algebra.row_blocks import Rows, TrueDeltas
from ...adapters.algebra.thresholds import magnitude_thresholds
from ...adapters.algebra.ties import ties_rows
from ...adapters.delta import AdapterDelta
from .pairs import in_turn, versions
from .peft_side import Mode, PeftSide
from .rows import Row

DENSITY = 0.5
SEED = 11
PAIRS = 2
BAR_RATIO = 20.0
BAR_DISTANCE = 1.01
ROUNDING = 1e-5
"""Relative: entries this near to a threshold, or votes this near to a draw, may fall either way."""


@dataclass(frozen=True)
class Method:
    """One merge: our function, our rows before the low rank, and PEFT's name for it."""

    mode: Mode
    merge: Callable[..., Truncated]
    rows: Callable[..., Rows]
    prunes_by_size: bool
    draws: bool


METHODS = (
    Method("ties_svd", ties, partial(ties_rows, sign_election="total"), True, False),
    Method("magnitude_prune_svd", magnitude, magnitude_rows, True, False),
    Method("dare_linear_svd", dare, partial(dare_rows, sign_election="none"), False, True),
    Method(
        "dare_ties_svd",
        partial(dare, sign_election="total"),
        partial(dare_rows, sign_election="total"),
        False,
        True,
    ),
)


def entry_rows(
    deltas: Sequence[AdapterDelta], peft: PeftSide, weights: Sequence[float], rank: int
) -> list[Row]:
    """Per method: time, masks, distance to the masked delta over the dense optimum."""
    where = f"2 of 28 layers, density {DENSITY}, k=4, r={rank}"
    return [row for m in METHODS for row in _method_rows(m, deltas, peft, weights, rank, where)]


def hard_rows(deltas: Sequence[AdapterDelta], weights: Sequence[float], rank: int) -> list[Row]:
    """Falling spectra, one layer: the same bars on masks and distance, the time only reported."""
    where = f"falling spectra, 1 of 28 layers, density {DENSITY}, k=4, r={rank}"
    peft = PeftSide(deltas)
    rows = [
        row
        for method in METHODS
        if method.mode in ("ties_svd", "dare_linear_svd")
        for row in _method_rows(method, deltas, peft, weights, rank, where)
    ]
    return [replace(row, op=None, bar=None) if row.bar == BAR_RATIO else row for row in rows]


def _method_rows(
    method: Method,
    deltas: Sequence[AdapterDelta],
    peft: PeftSide,
    weights: Sequence[float],
    rank: int,
    where: str,
) -> list[Row]:
    state = peft.generator_of_masks(SEED, rank).get_state()

    def drawn() -> dict[str, torch.Generator]:
        generator = torch.Generator()
        generator.set_state(state)
        return {"generator": generator} if method.draws else {}

    ratio, mine, theirs = in_turn(
        lambda: method.merge(deltas, weights, density=DENSITY, rank=rank, **drawn()),
        lambda: peft.merge(weights, method.mode, rank=rank, density=DENSITY, seed=SEED),
        pairs=PAIRS,
    )
    torch.random.set_rng_state(state)
    ours, seen = _Sums(), _Sums()
    differing = unexplained = entries = 0
    generator = drawn()
    for name in deltas[0]:
        true = TrueDeltas([delta[name] for delta in deltas])
        masked = peft.masked(name, weights, method.mode, DENSITY)
        rows = method.rows(true, torch.tensor(weights), density=DENSITY, **generator)
        found = _disagreements(masked, rows, true, method)
        differing, unexplained = differing + found[0], unexplained + found[1]
        entries += masked.numel()
        tail = float(torch.linalg.svdvals(masked)[rank:].double().square().sum())
        ours.add(mine.delta[name].dense_OI() - masked, tail)
        seen.add(theirs.delta[name].dense_OI() - masked, tail)
    same = unexplained == 0
    what = f"true-delta {method.mode}, {where}"
    return [
        Row(
            figure=f"{what}: PEFT time / ours",
            value=ratio.median,
            n=PAIRS,
            op=">=",
            bar=BAR_RATIO,
            equal=same,
            ours=ratio.ours.document(),
            theirs={**ratio.theirs.document(), "interval": list(ratio.interval)},
            versions=versions(),
        ),
        Row(
            figure=f"{what}: entries where the masks differ, beyond ties",
            value=float(unexplained),
            n=entries,
            op="==",
            bar=0.0,
            equal=same,
            ours={"within_rounding_of_a_tie": differing - unexplained},
            versions=versions(),
        ),
        Row(
            figure=f"{what}: distance to the masked delta / dense rank-{rank} optimum",
            value=ours.ratio,
            n=len(deltas[0]),
            op="<=",
            bar=BAR_DISTANCE,
            equal=same,
            ours={"reported_error": mine.error},
            theirs={"distance_over_optimum": seen.ratio},
            versions=versions(),
        ),
    ]


class _Sums:
    """A distance and the least one that is possible, over modules."""

    def __init__(self) -> None:
        self._seen = self._least = 0.0

    def add(self, difference: Tensor, least: float) -> None:
        self._seen += float(difference.double().square().sum())
        self._least += least

    @property
    def ratio(self) -> float:
        return math.sqrt(self._seen / self._least)


def _disagreements(masked: Tensor, rows: Rows, true: TrueDeltas, method: Method) -> tuple[int, int]:
    """Entries of the merged delta that differ from PEFT's, and those no rounding can explain."""
    mine = torch.empty_like(masked)
    for lines, block in rows():
        mine[lines] = block
    unlike = (mine - masked).abs() > ROUNDING * masked.abs().max()
    places = unlike.flatten().nonzero().flatten()
    if not len(places):
        return 0, 0
    columns = true.shape[1]
    values_NS = true.entries(places // columns, places % columns)
    near = values_NS.sum(0).abs() <= ROUNDING * values_NS.abs().sum(0)
    if method.prunes_by_size:
        limits = torch.tensor(magnitude_thresholds(true, DENSITY))
        at_limit = (values_NS.abs() / limits[:, None] - 1.0).abs() <= ROUNDING
        near = near | at_limit.any(0)
    return len(places), int((~near).sum())
