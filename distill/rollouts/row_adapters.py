"""Many adapters in one forward pass: each row of a batch gets the update of its own.

Owns the hooks. The base stays frozen and is run once for all rows; the factors are used where they
lie, so weights that are being trained need no copy. Shape letters: `B` rows, `T` tokens, `R` rank,
`I` in features, `O` out features.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ...adapters.delta import AdapterDelta, Delta
from ...adapters.errors import AdapterRefused, Problem

Mix = tuple[tuple[float, AdapterDelta], ...]
"""Adapters with weights, summed; empty for the base alone."""


@dataclass
class RowGroups:
    """Which rows of the batch have which mix: (mix, number of rows), in the batch's order."""

    groups: Sequence[tuple[Mix, int]]

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows alone, given in rising order."""
        bounds, start = [], 0
        for mix, size in self.groups:
            bounds.append((mix, sum(start <= row < start + size for row in rows)))
            start += size
        self.groups = [(mix, size) for mix, size in bounds if size]


def check_fits(model: nn.Module, delta: AdapterDelta, name: str) -> None:
    """Refuse an adapter with a module that the base lacks, or has in another shape.

    Raises:
        AdapterRefused: with every problem.
    """
    linear = {n: m for n, m in model.named_modules() if isinstance(m, nn.Linear)}
    problems = []
    for module, update in delta.items():
        found = linear.get(module)
        shape = None if found is None else (found.out_features, found.in_features)
        if shape != update.shape:
            problems.append(
                Problem(
                    "wrong_shape" if shape else "no_such_module",
                    f"{module} is {update.shape}, the base has {shape or 'no such module'}",
                    "take an adapter of this base",
                )
            )
    if problems:
        raise AdapterRefused(problems, name)


@contextmanager
def rows_adapted(model: nn.Module, rows: RowGroups) -> Iterator[None]:
    """While the block runs, `model` adds to each row what `rows` says."""
    names = {name for mix, _ in rows.groups for _, delta in mix for name in delta}
    modules = dict(model.named_modules())
    handles = [modules[name].register_forward_hook(_hook(name, rows)) for name in sorted(names)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hook(name: str, rows: RowGroups) -> Any:
    def add(module: nn.Module, args: tuple[Tensor, ...], out_BTO: Tensor) -> Tensor:
        start = 0
        for mix, size in rows.groups:
            here = slice(start, start + size)
            start += size
            for weight, update in _updates(mix, name):
                out_BTO[here] += _low_rank(args[0][here], update, weight)
        return out_BTO

    return add


def _updates(mix: Mix, name: str) -> Iterator[tuple[float, Delta]]:
    for weight, delta in mix:
        if name in delta:
            yield weight, delta[name]


def _low_rank(in_BTI: Tensor, update: Delta, weight: float) -> Tensor:
    down_RI, up_OR = update.down_RI.to(in_BTI), update.up_OR.to(in_BTI)
    return nn.functional.linear(nn.functional.linear(in_BTI, down_RI), up_OR) * (
        weight * update.scale
    )


def grouped(mixes: Sequence[Mix]) -> tuple[list[int], RowGroups]:
    """An order of rows in which equal mixes are neighbours, and the groups of that order."""
    first: dict[tuple[tuple[float, int], ...], int] = {}
    keys = [tuple((weight, id(delta)) for weight, delta in mix) for mix in mixes]
    places = [first.setdefault(key, number) for number, key in enumerate(keys)]
    order = sorted(range(len(mixes)), key=places.__getitem__)
    sizes: dict[int, int] = {}
    for row in order:
        sizes[places[row]] = sizes.get(places[row], 0) + 1
    return order, RowGroups([(mixes[place], size) for place, size in sizes.items()])


def on_device(delta: AdapterDelta, like: Tensor) -> Mapping[str, Delta]:
    """The same adapter where the base lies and in its dtype; no copy where it is there already."""
    with torch.no_grad():
        return {
            name: Delta(d.down_RI.to(like), d.up_OR.to(like), d.scale) for name, d in delta.items()
        }
