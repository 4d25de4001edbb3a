"""How the rows of a batch lie by slot, found once per batch for all layers. Pure.

Owns the sort by slot, the choice whether rows are sorted at all, and which slots are worked on
together. Refuses to own arithmetic (`factors.py`). Shapes: `T` rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise

import torch
from torch import Tensor

LONG_RUN = 32
"""Mean length from which runs of one slot are worked on where they lie instead of being sorted."""
FEW_ROWS = 8
"""Most rows a slot may have to be worked on together with its neighbours."""


@dataclass(frozen=True)
class Stretch:
    """Neighbouring slots with the same number of rows, which lie side by side in their order.

    Args:
        slot: the first slot.
        num_slots: how many.
        start: the first row.
        rows: rows of each slot.
    """

    slot: int
    num_slots: int
    start: int
    rows: int

    @property
    def stop(self) -> int:
        """One past the last row."""
        return self.start + self.num_slots * self.rows


@dataclass(frozen=True)
class Batch:
    """What is to be done for a batch; empty where no row has an adapter.

    Args:
        stretches: by first row; rows in none of them have no adapter.
        order: `(rows,)` int64, the rows with an adapter sorted by slot; `stretches` then count in
            it. None where they lie in the batch as they are, so that nothing has to be copied.
    """

    stretches: tuple[Stretch, ...] = ()
    order: Tensor | None = None


def lay_out(slots_T: Tensor) -> Batch:
    """The stretches of a batch.

    Args:
        slots_T: the slot of every row, int64, -1 where a row has no adapter.
    """
    runs = _runs(slots_T)
    slots = [run.slot for run in runs if run.slot >= 0]
    if len(slots_T) >= LONG_RUN * len(runs):
        return Batch(tuple(run for run in runs if run.slot >= 0))
    if all(one < following for one, following in pairwise(slots)):
        return Batch(_joined(runs))
    ordered, order = torch.sort(slots_T, stable=True)
    num_bare = int((slots_T < 0).sum())
    return Batch(_joined(_runs(ordered[num_bare:])), order[num_bare:])


def whole(batch: Batch, num_known: int, num_rows: int) -> Batch:
    """`num_rows` rows of the slot that holds all `num_known` rows of a batch; none otherwise."""
    only = batch.stretches[0] if len(batch.stretches) == 1 else None
    if only is None or only.num_slots > 1 or only.rows != num_known:
        return Batch()
    return Batch((Stretch(only.slot, 1, 0, num_rows),))


def _runs(slots_T: Tensor) -> list[Stretch]:
    if not len(slots_T):
        return []
    values, counts = torch.unique_consecutive(slots_T, return_counts=True)
    slots, sizes = values.tolist(), counts.tolist()
    starts = accumulate(sizes, initial=0)
    return [Stretch(s, 1, start, n) for s, start, n in zip(slots, starts, sizes, strict=False)]


def _joined(runs: Iterable[Stretch]) -> tuple[Stretch, ...]:
    found: list[Stretch] = []
    for run in runs:
        if run.slot < 0:
            continue
        last = found[-1] if found else None
        if last is not None and _continues(last, run):
            found[-1] = Stretch(last.slot, last.num_slots + 1, last.start, last.rows)
        else:
            found.append(run)
    return tuple(found)


def _continues(last: Stretch, run: Stretch) -> bool:
    return (
        run.slot == last.slot + last.num_slots
        and run.start == last.stop
        and run.rows == last.rows <= FEW_ROWS
    )
