"""DARE on the true deltas: drop entries at random, rescale the rest, merge. Pure.

Shape letters: `N` adapters, `H` rows of a block, `I` in, `O` out features.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ..delta import AdapterDelta
from .elections import elected_mean, weighted_sum
from .masked import merge_entries
from .row_blocks import Rows, TrueDeltas
from .truncated import Truncated


def dare(
    deltas: Sequence[AdapterDelta],
    weights: Sequence[float],
    *,
    density: float,
    rank: int,
    generator: torch.Generator,
    sign_election: Literal["none", "total", "frequency"] = "none",
    walks: int | None = None,
) -> Truncated:
    """`x -> x / density` with probability `density`, else 0, for every entry of every delta.

    Then the weighted sum ("none") or the sign election and mean of `ties`, then the nearest LoRA of
    the asked rank. On `D_i = s_i B_i A_i` in full.

    **Which entries**: one uniform number per entry is drawn from `generator`, module by module in
    the order of the deltas, in it adapter by adapter, in it row by row; an entry stays where the
    number is below `density`. On the CPU PEFT reads its masks in that order from torch's global
    generator, where its modules come in the same order; but not from the start of a seed: before
    them it draws the new adapter's initial values from the same stream. So `manual_seed(s)` on both
    sides gives other masks, and a generator in the state behind those values the same. With
    `density = 1` nothing is drawn. The masks are held as bits, 1/32 of a dense float32 delta each.

    Args:
        density: share of entries kept, in (0, 1].
        rank: of the result; the merged delta itself has full rank.
        generator: on the device of the factors; it is advanced.
        walks: over the rows; None for as many as `leading_part` finds useful.

    Returns:
        Scale 1, float32; errors are relative to the merged delta before the last step.

    Raises:
        ValueError: as `ties`, or a generator on another device than the factors.

    Source: DARE (arXiv:2311.03099); PEFT 0.21.2 `dare_linear_svd`, `dare_ties_svd`.
    """

    return merge_entries(
        deltas,
        weights,
        density=density,
        rank=rank,
        walks=walks,
        rows_of=partial(
            dare_rows, density=density, generator=generator, sign_election=sign_election
        ),
    )


def dare_rows(
    true: TrueDeltas,
    weights_N: Tensor,
    *,
    density: float,
    generator: torch.Generator,
    sign_election: Literal["none", "total", "frequency"],
) -> Rows:
    """The merged delta of one module before it is brought to low rank; draws its masks at once."""
    if generator.device.type != true.device.type:
        raise ValueError(
            f"generator on {generator.device}, factors on {true.device}: expected one device; "
            "make the generator with device=..."
        )
    masks = [_drawn(true, density, generator) for _ in range(true.num)] if density < 1.0 else []
    rescaled_N = weights_N / density  # after the election, which a common factor does not change

    def rows() -> Iterator[tuple[slice, Tensor]]:
        for lines, block in true.blocks():
            _drop(block, [mask[lines] for mask in masks])
            if sign_election == "none":
                yield lines, weighted_sum(block, rescaled_N)
            else:
                yield lines, elected_mean(block, rescaled_N, sign_election)

    return rows


def _drawn(true: TrueDeltas, density: float, generator: torch.Generator) -> Tensor:
    """The mask of one adapter: eight entries to a byte on the CPU, a byte each elsewhere."""
    columns, device = true.shape[1], generator.device
    parts = []
    room = torch.empty(true.height, columns, device=device, dtype=true.dtype)
    for lines in true.slices():
        uniform = room[: lines.stop - lines.start].uniform_(generator=generator)
        if device.type == "cpu":
            values = uniform.numpy()
            bits = np.packbits(values < values.dtype.type(density), axis=1)
            parts.append(torch.from_numpy(bits))
        else:
            parts.append(uniform < density)
    return torch.cat(parts)


def _drop(block_NHI: Tensor, masks: Sequence[Tensor]) -> None:
    """Zero what the masks drop, in place; no masks drop nothing."""
    for part_HI, mask in zip(block_NHI, masks, strict=bool(masks)):
        if mask.dtype == torch.bool:
            part_HI.mul_(mask)
        else:
            bits = np.unpackbits(mask.numpy(), axis=1, count=part_HI.shape[1])
            part_HI.mul_(torch.from_numpy(bits))
