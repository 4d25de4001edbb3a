"""Singular values and vectors of a low-rank delta by two thin QRs: the reference. Pure.

Shape letters: `B` modules, `P` rank before, `R` rank after, `I` in, `O` out features.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .ranks import Rank, kept_rank
from .stacks import EPS, Stack, product_norms, stored
from .truncated import Piece, zero_piece


@dataclass(frozen=True, eq=False)
class Svd:
    """One module, `D = U diag(S) V^T`, float64; `noise` is what `S` may hold of rounding."""

    left_OP: Float[Tensor, "O P"]
    values_P: Float[Tensor, " P"]
    right_IP: Float[Tensor, "I P"]
    noise: float


def decompose(stack: Stack) -> Iterator[Svd]:
    """`L = Q_L T_L`, `R^T = Q_R T_R`, `T_L T_R^T = U S V^T`; then `D = (Q_L U) S (Q_R V)^T`.

    Householder QR is stable by columns, so that singular values are good to some
    `8 P eps sum_p ||u_p|| ||d_p||`; what is below that counts as zero.
    """
    q_up, t_up = torch.linalg.qr(stack.ups_BOP)
    q_down, t_down = torch.linalg.qr(stack.downs_BIP)
    left, values, right_t = torch.linalg.svd(t_up @ t_down.mT, full_matrices=False)
    noises = product_norms(stack.ups_BOP, stack.downs_BIP).sum(1)
    unit = 8 * stack.ups_BOP.shape[2] * EPS
    for i, noise in enumerate(noises.tolist()):
        yield Svd(q_up[i] @ left[i], values[i], q_down[i] @ right_t[i].mT, unit * noise)


def truncate_by_qr(stack: Stack, rank: Rank) -> list[Piece]:
    """The leading terms of the singular value decomposition; what is dropped is the error.

    Returns:
        One piece per module, `S^(1/2)` in each factor so that both are of like scale.
    """
    return [_truncated(svd, rank, stack.dtype) for svd in decompose(stack)]


def _truncated(svd: Svd, rank: Rank, dtype: torch.dtype) -> Piece:
    energies = svd.values_P.cpu().square()
    total = float(energies.sum())
    if total <= svd.noise**2:
        return zero_piece((len(svd.left_OP), len(svd.right_IP)), svd.left_OP, dtype)
    # storing in `dtype` loses that much anyway: "exact" and shares of energy ask for no more
    loses = float(torch.finfo(dtype).eps) * total**0.5
    noise = svd.noise if isinstance(rank, int) else max(svd.noise, loses)
    kept = kept_rank(energies, rank, noise)
    roots = svd.values_P[:kept].sqrt()
    module = stored(svd.left_OP[:, :kept] * roots, svd.right_IP[:, :kept] * roots, dtype)
    return Piece(module, float(energies[kept:].sum()), total, "qr")
