"""TIES on the true deltas: trim, elect signs, merge. Pure."""

from collections.abc import Iterator, Sequence
from functools import partial

from torch import Tensor

from ..delta import AdapterDelta
from .elections import SignElection, elected_mean
from .masked import merge_entries
from .pruning import keep_above
from .row_blocks import Rows, TrueDeltas
from .thresholds import magnitude_thresholds
from .truncated import Truncated


def ties(
    deltas: Sequence[AdapterDelta],
    weights: Sequence[float],
    *,
    density: float,
    rank: int,
    sign_election: SignElection = "total",
    walks: int | None = None,
) -> Truncated:
    """Keep the largest entries of every delta, elect a sign per entry, average those who agree.

    On `D_i = s_i B_i A_i` in full, not on the factors: per module (1) entries below the
    `floor(density O I)`-th largest magnitude of their own delta become 0; (2) the sign of each
    entry is elected, weights not voting; (3) `sum_i w_i x_i / max(1, number)` over those with that
    sign; (4) the nearest LoRA of the asked rank. The masks are those of PEFT's `ties_svd`; entries
    equal to the threshold are all kept. No more than a block of rows exists at a time.

    Args:
        density: share of entries kept, in (0, 1].
        rank: of the result; the merged delta itself has full rank.
        walks: over the rows; None for as many as `leading_part` finds useful.

    Returns:
        Scale 1, float32; errors are relative to the merged delta before step 4.

    Raises:
        ValueError: as `concat`; density outside (0, 1]; rank below 1; a value not finite.

    Source: TIES-Merging (arXiv:2306.01708); PEFT 0.21.2 `ties_svd`, whose dense SVD is replaced.
    """

    return merge_entries(
        deltas,
        weights,
        density=density,
        rank=rank,
        walks=walks,
        rows_of=partial(ties_rows, density=density, sign_election=sign_election),
    )


def ties_rows(
    true: TrueDeltas, weights_N: Tensor, *, density: float, sign_election: SignElection
) -> Rows:
    """The merged delta of one module before it is brought to low rank."""
    limits = magnitude_thresholds(true, density)

    def rows() -> Iterator[tuple[slice, Tensor]]:
        for lines, block in true.blocks():
            yield lines, elected_mean(keep_above(block, limits), weights_N, sign_election)

    return rows
