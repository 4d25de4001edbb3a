"""The best approximation of lower rank by two thin QRs: the reference. Pure.

Shape letters: `B` modules, `P` rank before, `R` rank after, `I` in, `O` out features.
"""

import torch

from .ranks import Rank, kept_rank
from .stacks import EPS, Stack, product_norms, stored
from .truncated import Piece, zero_piece


def truncate_by_qr(stack: Stack, rank: Rank) -> list[Piece]:
    """`L = Q_L T_L`, `R^T = Q_R T_R`, `T_L T_R^T = U S V^T`; the leading terms of that SVD are the
    leading terms of `L R` (Eckart-Young), and what is dropped is the error.

    Everything in float64. Householder QR is stable by columns, so singular values are good to
    some `8 P eps sum_p ||u_p|| ||d_p||`; what is below that counts as zero.

    Returns:
        One piece per module, `S^(1/2)` in each factor so that both are of like scale.
    """
    q_up, t_up = torch.linalg.qr(stack.ups_BOP)
    q_down, t_down = torch.linalg.qr(stack.downs_BIP)
    left, values, right_t = torch.linalg.svd(t_up @ t_down.mT, full_matrices=False)
    num_terms = stack.ups_BOP.shape[2]
    noises = 8 * num_terms * EPS * product_norms(stack.ups_BOP, stack.downs_BIP).sum(1)
    pieces = []
    for i, (values_P, noise) in enumerate(zip(values.cpu(), noises.tolist(), strict=True)):
        energies = values_P.square()
        total = float(energies.sum())
        if total <= noise * noise:
            shape = stack.ups_BOP.shape[1], stack.downs_BIP.shape[1]
            pieces.append(zero_piece(shape, stack.ups_BOP, stack.dtype))
            continue
        allowed = noise if isinstance(rank, int) else max(noise, loss_of(stack.dtype) * total**0.5)
        kept = kept_rank(energies, rank, allowed)
        roots = values[i, :kept].sqrt()
        up_OR = q_up[i] @ (left[i, :, :kept] * roots)
        down_IR = q_down[i] @ (right_t[i, :kept].mT * roots)
        lost = float(energies[kept:].sum())
        pieces.append(Piece(stored(up_OR, down_IR, stack.dtype), lost, total, "qr"))
    return pieces


def loss_of(dtype: torch.dtype) -> float:
    """The relative error that storing in `dtype` makes anyway: below it nothing counts as lost."""
    return float(torch.finfo(dtype).eps)
