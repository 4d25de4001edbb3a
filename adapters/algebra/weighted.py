"""The best approximation of lower rank for the inputs that a module really sees. Pure.

Shape letters: `P` rank before, `R` rank after, `I` in, `O` out features.
"""

import torch
from torch import Tensor

from ..delta import Delta
from .checks import check_finite, result_dtype
from .ranks import Rank, kept_rank
from .stacks import EPS, stored
from .truncated import Piece, zero_piece


def truncate_by_inputs(name: str, module: Delta, moment: Tensor, rank: Rank) -> Piece:
    """Minimise `||(D - D_r) C^(1/2)||_F = E[||(D - D_r) x||^2]^(1/2)` with `C = E[x x^T]`.

    With `D C^(1/2) = U S V^T` the minimum is `D_r = U_r U_r^T D`: only the left vectors are needed,
    neither the root of `C` nor its inverse, so `C` may be singular. `D = Q T R` by the QR of the
    ups; `T (R C R^T) T^T = U' S^2 U'^T`, `U = Q U'`. All in float64; errors below some 1e-7 of
    `||D C^(1/2)||` are not resolved.

    Args:
        moment: `(I,)`, the mean squares of the inputs, or `(I, I)`, symmetric and positive
            semidefinite; on the device of the factors.

    Returns:
        Errors in both norms: `||D - D_r||^2 = tr(U_d^T T R R^T T^T U_d)` over what was dropped.

    Raises:
        ValueError: a moment of another shape, not finite, not symmetric or with negative values.

    Source: whitening before truncation as in SVD-LLM (arXiv:2403.07378), for a delta.
    """
    check_finite(module.down_RI, name)
    check_finite(module.up_OR, name)
    _check_moment(name, moment, module.shape[1])
    down_PI = module.down_RI.detach().double()
    q_OP, t_PP = torch.linalg.qr(module.up_OR.detach().double() * module.scale)
    weighted = down_PI * moment.double() if moment.ndim == 1 else down_PI @ moment.double()
    seen_PP = weighted @ down_PI.mT
    energies, turn = torch.linalg.eigh(_symmetric(t_PP @ seen_PP @ t_PP.mT))
    _check_not_negative(name, energies)
    energies, turn = energies.flip(0).clamp(min=0.0), turn.flip(1)
    plain_P = (turn.mT @ t_PP @ down_PI).square().sum(1)
    total, weighted_total = float(plain_P.sum()), float(energies.sum())
    dtype = result_dtype([module])
    if weighted_total == 0.0:
        piece = zero_piece(module.shape, module.up_OR, dtype)
        return Piece(piece.module, total, total, "inputs", 0.0, 0.0)
    terms = t_PP.square().sum(0) @ seen_PP.diagonal().clamp(min=0.0)
    noise = float(8 * module.rank * EPS * terms) ** 0.5
    kept = kept_rank(energies.cpu(), rank, noise)
    down_IR = (turn[:, :kept].mT @ t_PP @ down_PI).mT
    roots = torch.linalg.vector_norm(down_IR, dim=0).sqrt()
    result = stored((q_OP @ turn[:, :kept]) * roots, down_IR / roots, dtype)
    lost, weighted_lost = float(plain_P[kept:].sum()), float(energies[kept:].sum())
    return Piece(result, lost, total, "inputs", weighted_lost, weighted_total)


def _check_moment(name: str, moment: Tensor, columns: int) -> None:
    if tuple(moment.shape) not in ((columns,), (columns, columns)):
        raise ValueError(
            f"module {name}: activations of shape {tuple(moment.shape)}: expected second moments "
            f"of its inputs, ({columns},) or ({columns}, {columns})"
        )
    check_finite(moment, name)
    if moment.ndim == 1:
        _check_not_negative(name, moment)
    elif not torch.allclose(moment, moment.mT, rtol=1e-3, atol=1e-3 * float(moment.abs().max())):
        raise ValueError(f"module {name}: activations are not symmetric: expected C = E[x x^T]")


def _check_not_negative(name: str, values: Tensor) -> None:
    if float(values.min()) < -1e-6 * float(values.abs().max()):
        raise ValueError(
            f"module {name}: activations hold a negative energy {float(values.min()):.3g}: "
            "expected second moments, which are positive semidefinite"
        )


def _symmetric(value: Tensor) -> Tensor:
    return (value + value.mT) / 2
