"""Where the tokens of all adapters stand in one step.

Rows stand end to end, sorted by adapter, without padding, each up to the last token that
predicts a learned one: an adapter's places are one segment, and
its products are over that segment. Only attention pads, and rows of like length share a bucket.
Shapes: `T` places, `S` slots of padded rows, `B` rows of a bucket, `L` its longest, `K` places that
predict a learned token.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ....adapters.errors import UsageError
from ...rendering import TokenRow

LEAST_FULL = 0.8
"""A row joins a bucket whose longest row it fills to this share."""


@dataclass(frozen=True)
class Rows:
    """Rows padded for attention: `take_S` is the place of every slot (any one where it is padding),
    `put_T` the slot of every place; a bucket `(B, L)` is the next `B * L` slots."""

    take_S: Tensor
    put_T: Tensor
    buckets: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Layout:
    """One step's tokens. `sizes` are the places of each adapter, `picked_sizes` those whose next
    token is learned; `picked_K` says where these are, `targets_K` what is to follow."""

    ids_T: Tensor
    positions_T: Tensor
    sizes: tuple[int, ...]
    rows: Rows
    picked_K: Tensor
    targets_K: Tensor
    picked_sizes: tuple[int, ...]

    def to(self, device: torch.device) -> "Layout":
        """The same on another device."""
        rows = Rows(self.rows.take_S.to(device), self.rows.put_T.to(device), self.rows.buckets)
        return replace(
            self,
            ids_T=self.ids_T.to(device),
            positions_T=self.positions_T.to(device),
            rows=rows,
            picked_K=self.picked_K.to(device),
            targets_K=self.targets_K.to(device),
        )


def arrange(batches: Sequence[Sequence[TokenRow]]) -> Layout:
    """Lay out one step.

    Args:
        batches: rows of each adapter; may be empty for some.

    Raises:
        UsageError: no row at all, or an adapter with rows of which no token is learned.
    """
    if not any(batches):
        raise UsageError("a joint step got no rows at all, expected at least one adapter's")
    ids: list[int] = []
    positions: list[int] = []
    starts: list[tuple[int, int]] = []
    picked: list[int] = []
    targets: list[int] = []
    sizes, picked_sizes = [], []
    for index, rows in enumerate(batches):
        before, picked_before = len(ids), len(picked)
        for row in rows:
            start = len(ids)
            learned = [t for t in range(1, len(row.ids)) if row.learn[t]]
            size = learned[-1] if learned else 0  # what stands behind predicts nothing
            if size:
                starts.append((start, size))
            picked += [start + t - 1 for t in learned]
            targets += [row.ids[t] for t in learned]
            ids += row.ids[:size]
            positions += range(size)
        sizes.append(len(ids) - before)
        picked_sizes.append(len(picked) - picked_before)
        if rows and not picked_sizes[-1]:
            raise UsageError(f"adapter {index} of the step learns 0 tokens, expected some")
    return Layout(
        ids_T=torch.tensor(ids),
        positions_T=torch.tensor(positions),
        sizes=tuple(sizes),
        rows=_rows(starts, len(ids)),
        picked_K=torch.tensor(picked),
        targets_K=torch.tensor(targets),
        picked_sizes=tuple(picked_sizes),
    )


def _rows(starts: Sequence[tuple[int, int]], num_places: int) -> Rows:
    take: list[int] = []
    put = [0] * num_places
    buckets = []
    for bucket in _buckets(starts):
        longest = bucket[0][1]
        buckets.append((len(bucket), longest))
        for start, size in bucket:
            put[start : start + size] = range(len(take), len(take) + size)
            take += range(start, start + size)
            take += [start] * (longest - size)
    return Rows(torch.tensor(take), torch.tensor(put), tuple(buckets))


def _buckets(starts: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """(start, length) of rows of like length, longest first."""
    bucket: list[tuple[int, int]] = []
    for start, size in sorted(starts, key=lambda row: -row[1]):
        if bucket and size < LEAST_FULL * bucket[0][1]:
            yield bucket
            bucket = []
        bucket.append((start, size))
    yield bucket
