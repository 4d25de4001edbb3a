"""The leading part of a matrix that is only seen by blocks of rows. Pure.

Shape letters: `L` directions of the sketch, `R` rank kept, `I` in, `O` out features.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .row_blocks import Rows
from .stacks import stored
from .truncated import Piece, zero_piece

_CANCELS = 1e-4  # of the square of all: a lesser loss is measured, not subtracted
_CUT = 1e-10  # of squared norms: below it a direction of a float32 sketch is rounding
_ENOUGH = 0.008  # of the squared error: what further walks may still gain
_LEAVES = (0.25, 0.9)  # what a half walk is taken to leave of the gain before it: least, most
_MOST_WALKS = 8
_EXTRA = 8  # directions beyond the rank at least


def leading_part(
    rows: Rows,
    shape: tuple[int, int],
    start_IL: Float[Tensor, "I L"],
    *,
    rank: int,
    walks: int | None = None,
) -> Piece:
    """`D_r = Q V_r V_r^T Q^T D`, the best rank `R` within the range that was found.

    Each walk over the rows forms `Y = D S` and `Z = D^T Y` together (`S` orthonormal). With `Q =
    orth(Y)`, `Q^T D` is known from `Z` without another walk; `Z` is also the start of the next one,
    so that a walk is a whole power step. `D_r` is a projection of `D`, hence its error:
    `||D - D_r||^2 = ||D||^2 - ||D_r||^2`. Where that is below 1e-4 of `||D||^2` the difference
    would cancel, and so would what a float32 sketch knows of its weakest directions: one more walk
    then takes `D_r = D V V^T` with the right vectors that were found, and sums `D - D_r` itself.

    **When to stop.** The first half of a walk finds the energy `e0` (top `R` of `D S`), the second
    half `e1 >= e0` (top `R` of `Q^T D`). A next half gains less by some factor `q`: for a flat rest
    `q` is the largest square of a singular value of noise with the energy that is left, `(sqrt O +
    sqrt I)^2 / (O I)` of it, over the `R`-th square found. The walks end when `(e1 - e0) q /
    (1 - q)` is at most 0.8 % of the squared error (`q` held within 0.25 and 0.9). An estimate and
    not a bound: over 360 merges of four adapters of rank 16 (768 x 768; ties, magnitude and both
    forms of dare; flat and falling spectra, shared factors; densities 0.1 to 0.7; ranks 8, 16, 32)
    the distance was below 1.005 of the optimum.

    Sketches are summed in the dtype of the rows, everything of size `L x L` in float64.

    Args:
        start_IL: directions to look at first. The rows of the factors that `D` was made from are
            far better than Gaussian ones, which are added where it has fewer than the rank and 8.
        walks: exactly so many (the one for a small error beside them); None for as
            many as the rule asks for, at most 8.

    Source: Halko, Martinsson and Tropp (arXiv:0909.4061), algorithms 4.3 and 5.1.
    Departs: the start is not random alone, `Z` replaces their second pass, and the rule to stop.
    """
    start_IL = _filled(start_IL, rank)
    for walk in range(1, (walks or _MOST_WALKS) + 1):
        seen = _walk(rows, shape[0], start_IL)
        if not seen.image_OL.any():
            nothing = zero_piece(shape, start_IL, start_IL.dtype).module
            return Piece(nothing, seen.total, seen.total, "zero")
        found = _find(seen, rank)
        if walk == walks or (walks is None and found.expected_gain(seen, shape) <= _ENOUGH):
            break
        start_IL = _orthonormal(seen.back_IL)
    roots = found.energies_R.pow(0.25)
    up_OR = seen.image_OL @ (found.basis_LR * roots).to(start_IL.dtype)
    down_IR = seen.back_IL @ (found.basis_LR / roots).to(start_IL.dtype)
    lost = seen.total - float(found.energies_R.sum())
    if lost < _CANCELS * seen.total:
        up_OR, down_IR, lost = _by_right_vectors(rows, shape[0], down_IR)
    return Piece(stored(up_OR, down_IR, start_IL.dtype), lost, seen.total, "sketch")


@dataclass(frozen=True, eq=False)
class _Seen:
    """`Y = D S`, `Z = D^T Y`, `||D||^2`."""

    image_OL: Tensor
    back_IL: Tensor
    total: float


@dataclass(frozen=True, eq=False)
class _Found:
    """`Y basis` has orthonormal columns, the leading left vectors of `Q Q^T D`."""

    basis_LR: Tensor
    energies_R: Tensor
    all_energy: float
    first_half: float

    def expected_gain(self, seen: _Seen, shape: tuple[int, int]) -> float:
        """What further walks may gain, over the squared error now."""
        error = seen.total - float(self.energies_R.sum())
        if error <= 0.0:
            return 0.0
        edge: float = (shape[0] ** 0.5 + shape[1] ** 0.5) ** 2 / (shape[0] * shape[1])
        edge *= max(0.0, seen.total - self.all_energy)
        leaves: float = edge / float(self.energies_R[-1])
        leaves = max(_LEAVES[0], min(_LEAVES[1], leaves))
        gained: float = float(self.energies_R.sum()) - self.first_half
        return gained / error * leaves / (1.0 - leaves)


def _filled(start_IL: Tensor, rank: int) -> Tensor:
    """Orthonormal, and with Gaussian directions where it has fewer than the rank and a few."""
    start_IL = _orthonormal(start_IL)
    columns, num = start_IL.shape
    missing = min(columns, rank + _EXTRA) - num
    if missing <= 0:
        return start_IL
    device = start_IL.device
    generator = torch.Generator(device=device).manual_seed(0)
    noise = torch.randn(columns, missing, generator=generator, device=device).to(start_IL.dtype)
    return _orthonormal(torch.cat([start_IL, noise / columns**0.5], dim=1))


def _orthonormal(tall: Tensor) -> Tensor:
    values, vectors = _gram_spectrum(tall)
    basis: Tensor = tall @ (vectors / values.sqrt()).to(tall.dtype)
    return basis


def _walk(rows: Rows, lines: int, start_IL: Tensor) -> _Seen:
    image_OL = start_IL.new_zeros(lines, start_IL.shape[1])
    back_LI = torch.zeros_like(start_IL.mT, memory_format=torch.contiguous_format)
    total = 0.0
    for rows_H, block in rows():
        torch.mm(block, start_IL, out=image_OL[rows_H])
        back_LI.addmm_(image_OL[rows_H].mT, block)  # a quarter faster than its transpose
        total += float(torch.linalg.vector_norm(block)) ** 2
    return _Seen(image_OL, back_LI.mT, total)


def _by_right_vectors(rows: Rows, lines: int, down_IR: Tensor) -> tuple[Tensor, Tensor, float]:
    """Balanced factors of `D V V^T`, and `||D - D V V^T||^2`, in one walk; `V = orth(down)`."""
    right_IR = _orthonormal(down_IR)
    image_OR = right_IR.new_zeros(lines, right_IR.shape[1])
    lost = 0.0
    for rows_H, block in rows():
        torch.mm(block, right_IR, out=image_OR[rows_H])
        block.addmm_(image_OR[rows_H], right_IR.mT, alpha=-1.0)
        lost += float(torch.linalg.vector_norm(block)) ** 2
    wide = image_OR.double()
    energies, turn = torch.linalg.eigh(wide.mT @ wide)
    roots = energies.clamp(min=_CUT**2 * float(energies[-1])).pow(0.25)
    up_OR = image_OR @ (turn / roots).to(image_OR.dtype)
    return up_OR, right_IR @ (turn * roots).to(image_OR.dtype), lost


def _find(seen: _Seen, rank: int) -> _Found:
    values, vectors = _gram_spectrum(seen.image_OL)
    whitening, back = vectors / values.sqrt(), seen.back_IL.double()
    energies, turn = torch.linalg.eigh(whitening.mT @ (back.mT @ back) @ whitening)
    energies, turn = energies.flip(0), turn.flip(1)
    kept = max(1, min(rank, int((energies > _CUT * energies[0]).sum())))
    first_half = float(values.flip(0)[:kept].sum())
    return _Found(whitening @ turn[:, :kept], energies[:kept], float(energies.sum()), first_half)


def _gram_spectrum(tall: Tensor) -> tuple[Tensor, Tensor]:
    """Rising eigenvalues and vectors of `tall^T tall`, float64, without dependent directions."""
    wide = tall.double()
    values, vectors = torch.linalg.eigh(wide.mT @ wide)
    sound = values > _CUT * values[-1]
    return values[sound], vectors[:, sound]
