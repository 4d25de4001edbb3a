"""The sum of deltas whose small entries were dropped. Pure."""

from collections.abc import Iterator, Sequence
from functools import partial

from torch import Tensor

from ..delta import AdapterDelta
from .elections import weighted_sum
from .masked import merge_entries
from .pruning import keep_above
from .row_blocks import Rows, TrueDeltas
from .thresholds import magnitude_thresholds
from .truncated import Truncated


def magnitude(
    deltas: Sequence[AdapterDelta],
    weights: Sequence[float],
    *,
    density: float,
    rank: int,
    walks: int | None = None,
) -> Truncated:
    """`sum_i w_i top_density(D_i)`, then the nearest LoRA of the asked rank.

    `top` keeps, per module, the `floor(density O I)` largest magnitudes of `D_i = s_i B_i A_i`. The
    masks are those of PEFT's `magnitude_prune_svd`; entries equal to the threshold are all kept.

    Args, Returns, Raises: as `ties`.

    Source: PEFT 0.21.2 `magnitude_prune_svd`, whose dense SVD is replaced.
    """

    return merge_entries(
        deltas,
        weights,
        density=density,
        rank=rank,
        walks=walks,
        rows_of=partial(magnitude_rows, density=density),
    )


def magnitude_rows(true: TrueDeltas, weights_N: Tensor, *, density: float) -> Rows:
    """The merged delta of one module before it is brought to low rank."""
    limits = magnitude_thresholds(true, density)

    def rows() -> Iterator[tuple[slice, Tensor]]:
        for lines, block in true.blocks():
            yield lines, weighted_sum(keep_above(block, limits), weights_N)

    return rows
