"""The leading part of a matrix that is only seen by blocks of rows. Pure.

Shape letters: `L` directions of the sketch, `R` rank kept, `I` in, `O` out features.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from .row_blocks import Rows
from .stacks import stored
from .truncated import Piece, zero_piece

_CUT = 1e-10  # of squared norms: below it a direction of a float32 sketch is rounding


def leading_part(
    rows: Rows, shape: tuple[int, int], start_IL: Float[Tensor, "I L"], *, rank: int, powers: int
) -> Piece:
    """`D_r = Q V_r V_r^T Q^T D`, the best rank `R` within the range that was found.

    Each walk over the rows forms `Y = D S` and `Z = D^T Y` together; `Z` is the start of the next
    walk, so that a walk is a whole power step. After the last one `Q = orth(Y)`, and `Q^T D` is
    known from `Z` without another walk. `D_r` is a projection of `D`, hence the error:
    `||D - D_r||^2 = ||D||^2 - ||D_r||^2`.

    Sketch sums run in the dtype of the rows, everything of size `L x L` in float64; a relative
    error below some 1e-3 is therefore not resolved in float32.

    Args:
        start_IL: directions to look at first. The range of what `D` was made from is far better
            than Gaussian ones; both may be mixed.
        powers: walks beyond the first.

    Source: Halko, Martinsson and Tropp (arXiv:0909.4061), algorithms 4.3 and 5.1.
    Departs: the start is not random alone, and `Z` replaces their second pass.
    """
    lines, dtype = shape[0], start_IL.dtype
    for walk in range(powers + 1):
        if walk > 0:
            start_IL = start_IL @ _whitening(start_IL).to(dtype)
        image_OL = start_IL.new_zeros(lines, start_IL.shape[1])
        back_IL = torch.zeros_like(start_IL)
        total = 0.0
        for rows_H, block in rows():
            torch.mm(block, start_IL, out=image_OL[rows_H])
            back_IL.addmm_(block.mT, image_OL[rows_H])
            total += float(torch.linalg.vector_norm(block)) ** 2
        start_IL = back_IL
    if total == 0.0:
        return zero_piece(shape, start_IL, dtype)
    image, back = image_OL.double(), back_IL.double()
    basis = _whitening(image)
    back = back @ basis
    energies, turn = torch.linalg.eigh(back.mT @ back)
    kept = max(1, min(rank, int((energies > _CUT * energies[-1]).sum())))
    energies, turn = energies.flip(0)[:kept], turn.flip(1)[:, :kept]
    roots = energies.pow(0.25)
    module = stored(image @ (basis @ (turn * roots)), back @ (turn / roots), dtype)
    return Piece(module, max(0.0, total - float(energies.sum())), total, "sketch")


def _whitening(tall: Tensor) -> Tensor:
    """`T` with orthonormal `tall @ T`, float64; dependent directions are left out."""
    wide = tall.double()
    values, vectors = torch.linalg.eigh(wide.mT @ wide)
    sound = values > _CUT * values[-1]
    if not bool(sound.any()):
        return torch.eye(tall.shape[1], dtype=torch.float64, device=tall.device)
    whitening: Tensor = vectors[:, sound] / values[sound].sqrt()
    return whitening
