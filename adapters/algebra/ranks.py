"""How much rank to keep: a number, all of it, or a share of the energy. Pure.

Shape letter: `P` singular values, falling.
"""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from .checks import check_fraction, check_rank


@dataclass(frozen=True)
class Energy:
    """The smallest rank, per module, that keeps `share` of `||D||_F^2`.

    The relative error of every module is then at most `sqrt(1 - share)`: 0.1 for `Energy(0.99)`.

    Raises:
        ValueError: the share is not in (0, 1].
    """

    share: float

    def __post_init__(self) -> None:
        check_fraction(self.share, "share of energy")


Rank = int | Literal["exact"] | Energy
"""A number, the numerical rank ("exact"), or a share of the energy."""


def check_target(rank: Rank) -> None:
    """The rank means something.

    Raises:
        ValueError: not an int >= 1, not "exact", not `Energy`.
    """
    if isinstance(rank, Energy) or rank == "exact":
        return
    if isinstance(rank, str):
        raise ValueError(f'rank is {rank!r}: expected an int >= 1, "exact" or Energy(share)')
    check_rank(rank)


def kept_rank(energies_P: Float[Tensor, " P"], rank: Rank, noise: float) -> int:
    """How many leading terms to keep, at least one.

    Args:
        energies_P: squared singular values, falling, `>= 0`; float64.
        noise: what the tail may hold without being a loss: a Frobenius norm, not squared. No more
            terms are kept than it takes to push the tail below it, whatever was asked for.
    """
    tails = energies_P.flip(0).cumsum(0).flip(0)  # tails[r] = what rank r drops
    needed = int((tails > noise * noise).sum())
    if isinstance(rank, int):
        needed = min(needed, rank)
    elif isinstance(rank, Energy):
        needed = min(needed, int((tails > (1.0 - rank.share) * tails[0]).sum()))
    return max(1, needed)
