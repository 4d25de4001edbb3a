"""Keep single entries of an adapter's true delta: sparse, served merged only. Pure.

Shape letters: `K` entries kept, `H` rows of a block, `I` in, `O` out features.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..delta import AdapterDelta, Delta
from .checks import check_deltas, check_entries, check_fraction
from .row_blocks import TrueDeltas
from .thresholds import magnitude_thresholds


@dataclass(frozen=True, eq=False)
class SparseDelta:
    """The update of one linear module by single entries: `D[i // I, i % I] = value`.

    Raises:
        ValueError: indices and values that differ in number, or do not rise strictly within shape.
    """

    indices_K: Int[Tensor, " K"]
    """Places in the row-major `(O, I)` matrix, strictly rising, int64."""
    values_K: Float[Tensor, " K"]
    shape: tuple[int, int]

    def __post_init__(self) -> None:
        indices, size = self.indices_K, self.shape[0] * self.shape[1]
        if len(indices) != len(self.values_K):
            raise ValueError(f"{len(indices)} indices, {len(self.values_K)} values: expected equal")
        inside = not len(indices) or (int(indices[0]) >= 0 and int(indices[-1]) < size)
        if not inside or not bool((indices[1:] > indices[:-1]).all()):
            raise ValueError(f"indices: expected strictly rising numbers from 0 to {size - 1}")

    @property
    def share(self) -> float:
        """Which share of the entries is kept."""
        return len(self.indices_K) / (self.shape[0] * self.shape[1])

    def dense_OI(self) -> Float[Tensor, "O I"]:
        """The full update, for merging into a weight."""
        flat = self.values_K.new_zeros(self.shape[0] * self.shape[1])
        flat[self.indices_K] = self.values_K
        return flat.view(self.shape)


def element_graft(
    delta: AdapterDelta,
    *,
    keep_fraction: float | None = None,
    mask: Mapping[str, Bool[Tensor, "O I"]] | None = None,
) -> dict[str, SparseDelta]:
    """The largest entries of every module's true delta, or those under a mask.

    `D = s B A` is formed by blocks of rows. An element mask destroys the low rank: no engine serves
    the result as a LoRA; it is merged into the weights (`export --merged`).

    Args:
        keep_fraction: in (0, 1]: `floor(fraction O I)` entries per module, by magnitude; entries
            equal to the smallest kept one are kept as well.
        mask: instead: per module which entries stay.

    Returns:
        Values in float32 (float64 where a factor is).

    Raises:
        ValueError: not exactly one of the two; a fraction outside (0, 1]; a mask that misses a
            module or has another shape; a value that is not finite or far too large.

    Source: arXiv:2302.06600, base patch: the top fraction of `|theta_ft - theta_pre|`.
    """
    check_deltas([delta])
    if (keep_fraction is None) == (mask is None):
        raise ValueError("expected exactly one of keep_fraction=... and mask=...")
    if mask is not None:
        return {name: _under_mask(name, module, mask) for name, module in delta.items()}
    fraction = 1.0 if keep_fraction is None else keep_fraction
    check_fraction(fraction, "keep_fraction")
    return {name: _largest(name, module, fraction) for name, module in delta.items()}


def _largest(name: str, module: Delta, fraction: float) -> SparseDelta:
    true = _true(name, module)
    (limit,) = magnitude_thresholds(true, fraction)
    parts = [(lines.start, _picked(b[0], b[0].abs() >= limit)) for lines, b in true.blocks()]
    return _joined(parts, module.shape)


def _under_mask(name: str, module: Delta, mask: Mapping[str, Tensor]) -> SparseDelta:
    if name not in mask or tuple(mask[name].shape) != module.shape:
        seen = tuple(mask[name].shape) if name in mask else "no mask"
        raise ValueError(f"module {name}: {seen}: expected a mask of shape {module.shape}")
    true = _true(name, module)
    parts = [(lines.start, _picked(b[0], mask[name][lines])) for lines, b in true.blocks()]
    return _joined(parts, module.shape)


def _true(name: str, module: Delta) -> TrueDeltas:
    check_entries(module, name)
    return TrueDeltas([module])


def _picked(block_HI: Tensor, wanted_HI: Tensor) -> tuple[Tensor, Tensor]:
    places = wanted_HI.flatten().nonzero().flatten()
    return places, block_HI.flatten()[places]


def _joined(parts: list[tuple[int, tuple[Tensor, Tensor]]], shape: tuple[int, int]) -> SparseDelta:
    indices = [places + start * shape[1] for start, (places, _) in parts]
    return SparseDelta(torch.cat(indices), torch.cat([values for _, (_, values) in parts]), shape)
