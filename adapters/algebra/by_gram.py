"""The best approximation of lower rank from two Gram matrices: the fast path. Pure.

Owns the algebra and the bound by which it judges itself. Refuses to answer where the bound fails:
`truncate` then takes the QR. Shape letters: `B` modules, `P` rank before, `R` rank after, `I` in,
`O` out features; `W` is the factor that is made orthonormal, `Y` the other one.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .ranks import Energy, kept_rank
from .stacks import EPS, Stack, stored
from .truncated import Piece

MAX_SKEW = 1e-6
"""Largest accepted `||Q^T Q - 1||`: the result is then within `1 + 4e-6` of the optimum."""
MAX_DOUBT = 2e-6
"""Largest accepted uncertainty of the squared error, relative to it."""


def truncate_by_gram(stack: Stack, rank: int | Energy) -> list[Piece | None]:
    """The leading terms of `D = L R` from `G_L = L^T L` and `G_R = R R^T`, all in float64.

    One side, `W` (the better conditioned one; here say `W = R^T`), is made orthonormal through the
    Cholesky factor of its Gram: with `d` its column norms and `G_W = d C C^T d`, `W = Q C^T d`.
    Then `D = M Q^T`, `M = L d C`, and `M^T M = C^T d G_L d C = U S^2 U^T` has the squared singular
    values of `D`. The best approximation is `D_r = (M U_r)(Q U_r)^T`; both factors are one tall
    matrix times `P x R` coefficients, so large matrices meet GEMMs only. `S^(1/2)` goes to each.

    Accepted where two bounds hold. With `g = 4 sqrt(n) u` for a sum of `n` products (probabilistic
    bound, Higham and Mary 2019, doi:10.1137/18M1226312):
    - skew: `||Q^T Q - 1|| <= (g + P u) P tr((C C^T)^-1) <= 1e-6`. Any `Q` with that skew, whatever
      its origin, gives an error within `((1 + skew) / (1 - skew))^2` of the optimum;
    - doubt: the eigenvalues of `M^T M` are known to `h = 2 (g + P u) sqrt(P) ||C C^T||_F sum_p
      ||u_p||^2 ||d_p||^2`, and `h <= 2e-6` of the squared error.
    So a relative error below some 1e-3 (or none) is left to the QR, and so are dependent factors.

    Returns:
        One piece per module, None where a bound fails.
    """
    ups, downs = stack.ups_BOP, stack.downs_BIP
    whitened = _whitened(ups, downs)
    energies_BP, bases = torch.linalg.eigh(whitened.core_BPP)
    energies_BP, bases = energies_BP.flip(1).clamp(min=0.0), bases.flip(2)
    on_host = energies_BP.cpu()
    judged = zip(whitened.skew_B.tolist(), whitened.doubt_B.tolist(), strict=True)
    swapped = whitened.swapped_B.tolist()
    pieces: list[Piece | None] = []
    for i, (skew, doubt) in enumerate(judged):
        kept = kept_rank(on_host[i], rank, 0.0)
        lost, total = float(on_host[i, kept:].sum()), float(on_host[i].sum())
        if not (skew <= MAX_SKEW and lost > 0.0 and doubt <= MAX_DOUBT * lost):
            pieces.append(None)
            continue
        basis, roots = bases[i, :, :kept], energies_BP[i, :kept].pow(0.25)
        to_w = whitened.inverse_BPP[i] @ (basis * roots)
        to_y = whitened.factor_BPP[i] @ (basis / roots)
        to_up, to_down = (to_w, to_y) if swapped[i] else (to_y, to_w)
        module = stored(ups[i] @ to_up, downs[i] @ to_down, stack.dtype)
        pieces.append(Piece(module, lost, total, "gram"))
    return pieces


@dataclass(frozen=True, eq=False)
class _Whitened:
    """`Q = W inverse`, `M = Y factor`, `core = M^T M`; swapped where W is the up side."""

    inverse_BPP: Tensor
    factor_BPP: Tensor
    core_BPP: Tensor
    skew_B: Tensor
    doubt_B: Tensor
    swapped_B: Tensor


def _whitened(ups_BOP: Tensor, downs_BIP: Tensor) -> _Whitened:
    num_terms = ups_BOP.shape[2]
    gram_up, gram_down = ups_BOP.mT @ ups_BOP, downs_BIP.mT @ downs_BIP
    up, down = _side(gram_up, ups_BOP.shape[1]), _side(gram_down, downs_BIP.shape[1])
    swapped = up.skew_B < down.skew_B
    pick = swapped[:, None, None]
    factor, inverse = (
        torch.where(pick, a, b)
        for a, b in ((up.factor_BPP, down.factor_BPP), (up.inverse_BPP, down.inverse_BPP))
    )
    core = factor.mT @ torch.where(pick, gram_down, gram_up) @ factor
    energy = (_diagonal(gram_up) * _diagonal(gram_down)).sum(1)
    unit = torch.maximum(up.unit_B, down.unit_B)
    size = torch.where(swapped, up.size_B, down.size_B)
    doubt = 2 * unit * num_terms**0.5 * size * energy
    skew = torch.where(swapped, up.skew_B, down.skew_B)
    return _Whitened(inverse, factor, (core + core.mT) / 2, skew, doubt, swapped)


@dataclass(frozen=True, eq=False)
class _Side:
    """`gram = factor factor^T` with `inverse = factor^-T`, and how far to trust it."""

    factor_BPP: Tensor
    inverse_BPP: Tensor
    skew_B: Tensor
    size_B: Tensor
    unit_B: Tensor


def _side(gram_BPP: Tensor, length: int) -> _Side:
    num_terms = gram_BPP.shape[1]
    unit = 2 * length**0.5 * EPS + num_terms * EPS / 2
    norms = _diagonal(gram_BPP).sqrt()
    norms = torch.where(norms > 0.0, norms, torch.ones_like(norms))
    unit_gram = gram_BPP / (norms[:, :, None] * norms[:, None, :])
    lower, failed = torch.linalg.cholesky_ex(unit_gram)
    eye = torch.eye(num_terms, dtype=gram_BPP.dtype, device=gram_BPP.device)
    lower = torch.where((failed > 0)[:, None, None], eye, lower)
    upper = torch.linalg.solve_triangular(lower, eye.expand_as(lower), upper=False).mT
    skew = unit * num_terms * upper.square().sum((1, 2))
    skew = torch.where(failed > 0, torch.full_like(skew, torch.inf), skew)
    size = torch.linalg.matrix_norm(unit_gram)
    factor, inverse = norms[:, :, None] * lower, upper / norms[:, :, None]
    return _Side(factor, inverse, skew, size, torch.full_like(skew, unit))


def _diagonal(gram_BPP: Tensor) -> Tensor:
    return gram_BPP.diagonal(dim1=1, dim2=2)
