"""The k-th largest magnitude of a delta, exactly, without having all its entries at once. Pure.

Owns the search. Shape letters: `N` adapters, `H` rows of a block, `I` in features.
"""

import math

import numpy as np
import torch
from torch import Tensor

from .row_blocks import TrueDeltas

_SAMPLE = 8192  # entries looked at for the first guess; their quantiles scatter by some 0.5 %
_FIRST_WIDTH = 0.015  # of the quantile on each side: some 3 % of the entries are collected


def magnitude_thresholds(deltas: TrueDeltas, density: float) -> list[float]:
    """For every adapter the magnitude of its `k`-th largest entry, `k = floor(density * O * I)`.

    A sample of entries gives a bracket. One pass counts the entries above it and collects those in
    it; if the k-th is among them it is found exactly, else the bracket is widened and the pass is
    repeated. The result never depends on the sample.

    Returns:
        `inf` where `k = 0` (nothing is kept), 0 where `density = 1` (everything is).
    """
    rows, columns = deltas.shape
    kept = int(density * rows * columns)
    if kept == 0:
        return [math.inf] * deltas.num
    if density >= 1.0:
        return [0.0] * deltas.num
    sample = _sample(deltas)
    found: dict[int, float] = {}
    width = _FIRST_WIDTH
    while len(found) < deltas.num:
        open_ = [i for i in range(deltas.num) if i not in found]
        brackets = {i: _bracket(sample[i], density, width) for i in open_}
        found |= _search(deltas, brackets, kept)
        width *= 4.0
    return [found[i] for i in range(deltas.num)]


def _sample(deltas: TrueDeltas) -> Tensor:
    """Magnitudes of entries at random places, `(N, S)`."""
    (rows, columns), device = deltas.shape, deltas.device
    generator = torch.Generator(device=device).manual_seed(0)
    places = torch.randint(rows * columns, (_SAMPLE,), generator=generator, device=device)
    return deltas.entries(places // columns, places % columns).abs()


def _bracket(sample_S: Tensor, density: float, width: float) -> tuple[float, float]:
    """The magnitudes between which the threshold should lie."""
    size = sample_S.numel()
    low = math.floor((1.0 - density - width) * size)
    high = math.ceil((1.0 - density + width) * size)
    return (
        float(sample_S.kthvalue(low).values) if low >= 1 else 0.0,
        float(sample_S.kthvalue(high).values) if high <= size else math.inf,
    )


def _search(
    deltas: TrueDeltas, brackets: dict[int, tuple[float, float]], kept: int
) -> dict[int, float]:
    """The thresholds whose bracket held them, after one pass."""
    above = dict.fromkeys(brackets, 0)
    inside: dict[int, list[Tensor]] = {i: [] for i in brackets}
    for _, block in deltas.blocks():
        block.abs_()
        for i, (low, high) in brackets.items():
            count, values = _split(block[i], low, high)
            above[i] += count
            inside[i].append(values)
    found = {}
    for i in brackets:
        values, rank = torch.cat(inside[i]), kept - above[i]
        if 1 <= rank <= values.numel():
            found[i] = float(values.kthvalue(values.numel() - rank + 1).values)
    return found


def _split(block_HI: Tensor, low: float, high: float) -> tuple[int, Tensor]:
    """How many entries lie above `high`, and the entries within `[low, high]`."""
    if block_HI.device.type != "cpu":
        inside = (block_HI >= low) & (block_HI <= high)
        return int((block_HI > high).sum()), block_HI[inside]
    flat = block_HI.flatten().numpy()
    at_least = flat >= flat.dtype.type(low)
    at_most = flat <= flat.dtype.type(high)
    num_above = flat.size - int(np.count_nonzero(at_most))
    return num_above, torch.from_numpy(_picked(flat, at_least & at_most))


def _picked(flat: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """`flat[wanted]` for few wanted ones: eight at a time first, so that most are never read."""
    whole = flat.size - flat.size % 8
    words = torch.from_numpy(wanted[:whole].view(np.int64)).nonzero().flatten().numpy()
    groups, marks = flat[:whole].reshape(-1, 8)[words], wanted[:whole].reshape(-1, 8)[words]
    return np.concatenate([groups[marks], flat[whole:][wanted[whole:]]])
