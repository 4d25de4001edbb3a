"""The low-rank factors of one module on their true ranks, and their products. Pure.

Upstream pads every adapter with zeros to `max_lora_rank` and keeps q, k and v (gate and up) as
separate stacks. Here the true ranks are measured once per change of a slot, and the factors are
packed as the products want them: the parts' down factors one below the other, so that a row is
read once, up factors transposed (for few rows half the time), slots side by side, so that a row
each on several adapters is one product. Costs memory: at most what upstream's stacks take.

Owns the arithmetic. Refuses to own how rows lie (`groups.py`) and when a slot changes
(`slot_changes.py`). Shapes: `T` rows, `I`/`O` in/out features of a module, `R` rank, `N` slots,
`S` slots of a stretch, `K` rows of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .groups import Batch, Stretch

Stacks = tuple[Tensor, ...]


@dataclass(frozen=True)
class Part:
    """What one projection of a module adds for a stretch.

    Args:
        start: first column of the output.
        width: columns.
        first: first of its rows among those of the module's down factors.
        up: `(R, O)` for one slot, `(S, R, O)` for several.
    """

    start: int
    width: int
    first: int
    up: Tensor


@dataclass(frozen=True)
class Factors:
    """Down factors `(I, R)` of one slot or `(S, R, I)` of several, and the parts that act."""

    down: Tensor
    parts: tuple[Part, ...]


def true_rank(down_RI: Tensor, up_OR: Tensor) -> int:
    """The rank below the zero padding: one more than the last index at which both factors act."""
    acting = (down_RI.any(1) & up_OR.any(0)).nonzero()
    return int(acting[-1]) + 1 if len(acting) else 0


@dataclass
class Module:
    """The stacked weights of one module, zero-padded, and what is packed of them.

    Args:
        downs: per part `(N, 1, R, I)` or `(N, R, I)`.
        ups: per part `(N, 1, O, R)` or `(N, O, R)`.
        widths: columns of the output that each part fills; an up factor may be padded beyond.
    """

    downs: Stacks
    ups: Stacks
    widths: tuple[int, ...]
    _ranks: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _caps: tuple[int, ...] = ()
    _down_NRI: Tensor = field(default_factory=lambda: torch.empty(0))
    _ups_NRO: Stacks = ()
    _views: dict[tuple[int, int], Factors | None] = field(default_factory=dict)

    def forget(self, slot: int) -> None:
        """A slot holds other weights than before."""
        self._ranks.pop(slot, None)
        self._views.clear()

    def factors(self, stretch: Stretch) -> Factors | None:
        """The factors of a stretch's slots, packed when first needed; None where none acts."""
        key = (stretch.slot, stretch.num_slots)
        if key not in self._views:
            slots = range(stretch.slot, stretch.slot + stretch.num_slots)
            for slot in slots:
                self._pack(slot)
            acting = any(any(self._ranks[slot]) for slot in slots)
            view = self._one if stretch.num_slots == 1 else self._several
            self._views[key] = view(stretch) if acting else None
        return self._views[key]

    def _pack(self, slot: int) -> None:
        if slot in self._ranks:
            return
        pairs = [
            (down[slot].flatten(0, -2), up[slot].flatten(0, -2)[:width])
            for down, up, width in zip(self.downs, self.ups, self.widths, strict=True)
        ]
        self._ranks[slot] = ranks = tuple(true_rank(*pair) for pair in pairs)
        caps = self._caps or (0,) * len(ranks)
        if not self._caps or any(rank > cap for rank, cap in zip(ranks, caps, strict=True)):
            self._grow(tuple(map(max, ranks, caps)))
        first = 0
        for (down, up), rank, cap, packed in zip(
            pairs, ranks, self._caps, self._ups_NRO, strict=True
        ):
            self._down_NRI[slot, first : first + cap] = 0
            self._down_NRI[slot, first : first + rank] = down[:rank]
            packed[slot] = 0
            packed[slot, :rank] = up[:, :rank].T
            first += cap

    def _grow(self, caps: tuple[int, ...]) -> None:
        """Make room for larger ranks; the other slots are packed anew."""
        others = [slot for slot in self._ranks if self._caps and any(self._ranks[slot])]
        num_slots, into = self.downs[0].shape[0], self.downs[0].shape[-1]
        like = self.downs[0]
        self._caps = caps
        self._down_NRI = like.new_zeros(num_slots, sum(caps), into)
        self._ups_NRO = tuple(
            up.new_zeros(num_slots, cap, min(width, up.shape[-2]))
            for up, cap, width in zip(self.ups, caps, self.widths, strict=True)
        )
        self._views.clear()
        newest = next(reversed(self._ranks))
        for slot in others:
            if slot != newest:
                del self._ranks[slot]
                self._pack(slot)

    def _one(self, stretch: Stretch) -> Factors:
        """On the slot's own ranks: from the first to the last row that acts."""
        slot, ranks = stretch.slot, self._ranks[stretch.slot]
        firsts = _offsets(self._caps)
        acting = [number for number, rank in enumerate(ranks) if rank]
        begin = firsts[acting[0]]
        end = firsts[acting[-1]] + ranks[acting[-1]]
        starts = _offsets(self.widths)
        parts = []
        for number in acting:
            up = self._ups_NRO[number][slot, : ranks[number]]
            parts.append(Part(starts[number], up.shape[-1], firsts[number] - begin, up))
        return Factors(self._down_NRI[slot, begin:end].T, tuple(parts))

    def _several(self, stretch: Stretch) -> Factors:
        """On the largest rank of any slot; what a slot has less is zeros."""
        slots = slice(stretch.slot, stretch.slot + stretch.num_slots)
        parts = [
            Part(start, up.shape[-1], first, up[slots])
            for start, first, up in zip(
                _offsets(self.widths), _offsets(self._caps), self._ups_NRO, strict=False
            )
            if up.shape[1]
        ]
        return Factors(self._down_NRI[slots], tuple(parts))


def add_updates(y_TO: Tensor, x_TI: Tensor, module: Module, batch: Batch, *, scale: float) -> None:
    """`y[rows, part] += scale * x[rows] @ down^T @ up` for every row and part, in place.

    Rows of the batch as it lies are views on both sides; sorted ones are gathered once and put
    back once. Rows in no stretch are not touched.
    """
    if batch.order is not None:
        sorted_y = y_TO.index_select(0, batch.order)
        inner = Batch(batch.stretches)
        add_updates(sorted_y, x_TI.index_select(0, batch.order), module, inner, scale=scale)
        y_TO.index_copy_(0, batch.order, sorted_y)
        return
    for stretch in batch.stretches:
        factors = module.factors(stretch)
        if factors is None:
            continue
        add = _add_one if stretch.num_slots == 1 else _add_several
        if stretch.stop - stretch.start == y_TO.shape[0]:
            add(y_TO, x_TI, factors, stretch, scale)
        else:
            rows = slice(stretch.start, stretch.stop)
            add(y_TO[rows], x_TI[rows], factors, stretch, scale)


def _add_one(y: Tensor, x: Tensor, factors: Factors, stretch: Stretch, scale: float) -> None:
    """One product shrinks the rows for all parts, one per part expands; a single row makes both
    matrix-vector products straight on the packed factors.
    """
    hidden = torch.mm(_as(x, factors.down), factors.down)
    for part in factors.parts:
        rank = part.up.shape[0]
        inner = hidden if rank == hidden.shape[1] else hidden.narrow(1, part.first, rank)
        columns = y if part.width == y.shape[1] else y.narrow(1, part.start, part.width)
        if y.dtype == hidden.dtype:
            columns.addmm_(inner, part.up, alpha=scale)
        else:
            columns.add_(torch.mm(inner, part.up).to(y.dtype), alpha=scale)


def _add_several(y: Tensor, x: Tensor, factors: Factors, stretch: Stretch, scale: float) -> None:
    """The same for several slots at once, each with its own rows."""
    shape = (stretch.num_slots, stretch.rows)
    x_SIK = _as(x, factors.down).reshape(*shape, -1).transpose(1, 2)
    hidden_SKR = torch.bmm(factors.down, x_SIK).transpose(1, 2)
    y_SKO = y.view(*shape, -1)
    for part in factors.parts:
        inner = hidden_SKR.narrow(2, part.first, part.up.shape[1])
        columns = y_SKO.narrow(2, part.start, part.width)
        if y.dtype == hidden_SKR.dtype:
            columns.baddbmm_(inner, part.up, alpha=scale)
        else:
            columns.add_(torch.bmm(inner, part.up).to(y.dtype), alpha=scale)


def _as(x: Tensor, weights: Tensor) -> Tensor:
    return x if x.dtype == weights.dtype else x.to(weights.dtype)


def _offsets(sizes: Sequence[int]) -> list[int]:
    return [sum(sizes[:number]) for number in range(len(sizes))]
