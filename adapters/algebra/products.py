"""Inner products, norms and cosines of adapters, without a d x d matrix. Pure.

`<D_a, D_b> = s_a s_b trace((B_b^T B_a)(A_a A_b^T)) = s_a s_b sum((B_a^T B_b) * (A_a A_b^T))`: two
matrices of rank by rank. Everything is float64; a sum of `P` rank-one terms of norms `v_p` is good
to some `1e-15 (sum v_p)^2`, so a norm that cancels below 1e-6 of its terms is taken from the QR.

Shape letters: `N` adapters, `P` sum of their ranks, `R`/`S` ranks, `I` in, `O` out features.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ..delta import AdapterDelta, Delta
from .checks import check_deltas, check_finite, module_names

_PANEL = 2048  # rank-one terms per side of one product of Grams: 32 MB in float64


def inner(a: AdapterDelta, b: AdapterDelta) -> float:
    """`sum over modules <D_a, D_b>` (Frobenius); modules that only one has count as zero.

    Raises:
        ValueError: two shapes under one module name, or an adapter without modules.
    """
    return sum(module_inners(a, b).values())


def module_inners(a: AdapterDelta, b: AdapterDelta) -> dict[str, float]:
    """The inner product of every module that both have.

    Raises:
        ValueError: as `inner`.
    """
    check_deltas([a, b])
    return {name: _inner(a[name], b[name]) for name in a if name in b}


def norm(a: AdapterDelta) -> float:
    """The Frobenius norm over all modules.

    Raises:
        ValueError: an adapter without modules, or a value that is not finite.
    """
    return math.sqrt(sum(n * n for n in module_norms(a).values()))


def module_norms(a: AdapterDelta) -> dict[str, float]:
    """The Frobenius norm of every module.

    Raises:
        ValueError: as `norm`.
    """
    check_deltas([a])
    return {name: square_norm(name, module) ** 0.5 for name, module in a.items()}


def cosine(a: AdapterDelta, b: AdapterDelta) -> float:
    """`<D_a, D_b> / (||D_a|| ||D_b||)` over all modules; 0 where one of them is zero.

    Random directions of this many dimensions are nearly orthogonal anyway: compare with a shuffled
    or norm-matched random adapter before reading a meaning into a small number.

    Raises:
        ValueError: as `inner`.
    """
    return _quotient(inner(a, b), norm(a), norm(b))


def module_cosines(a: AdapterDelta, b: AdapterDelta) -> dict[str, float]:
    """The cosine of every module that both have.

    Raises:
        ValueError: as `inner`.
    """
    norms_a, norms_b = module_norms(a), module_norms(b)
    inners = module_inners(a, b).items()
    return {name: _quotient(value, norms_a[name], norms_b[name]) for name, value in inners}


def gram(deltas: Sequence[AdapterDelta]) -> Float[Tensor, "N N"]:
    """All pairwise inner products, symmetric, float64, on the CPU.

    Per module all factors are laid side by side, so that `N^2` inner products are two matrix
    products, by panels of bounded size.

    Raises:
        ValueError: as `inner`.
    """
    check_deltas(deltas)
    total_NN = torch.zeros(len(deltas), len(deltas), dtype=torch.float64)
    for name in module_names(deltas):
        holders = [i for i, delta in enumerate(deltas) if name in delta]
        part = _module_gram([deltas[i][name] for i in holders]).cpu()
        total_NN[torch.tensor(holders)[:, None], torch.tensor(holders)] += part
    return total_NN


def cosines(deltas: Sequence[AdapterDelta]) -> Float[Tensor, "N N"]:
    """All pairwise cosines; 0 in the rows of zero adapters, float64, on the CPU.

    Raises:
        ValueError: as `inner`.
    """
    gram_NN = gram(deltas)
    norms_N = gram_NN.diagonal().clamp(min=0.0).sqrt()
    scale_N = torch.where(norms_N > 0.0, 1.0 / norms_N, torch.zeros_like(norms_N))
    return (gram_NN * scale_N[:, None] * scale_N).clamp(-1.0, 1.0)


def square_norm(name: str, module: Delta) -> float:
    """`||D||_F^2` of one module; from the QR where the rank-one terms cancel.

    Raises:
        ValueError: a value is not finite.
    """
    up_OR, down_IR = module.up_OR.detach().double(), module.down_RI.detach().double().mT
    gram_up, gram_down = up_OR.mT @ up_OR, down_IR.mT @ down_IR
    value = (gram_up * gram_down).sum()
    check_finite(value, name)
    terms = float((gram_up.diagonal() * gram_down.diagonal()).sqrt().sum())
    if float(value) <= 1e-12 * terms * terms:
        core = torch.linalg.qr(up_OR)[1] @ torch.linalg.qr(down_IR)[1].mT
        value = core.square().sum()
    return float(value) * module.scale**2


def _inner(a: Delta, b: Delta) -> float:
    up_RS = a.up_OR.detach().double().mT @ b.up_OR.detach().double()
    down_RS = a.down_RI.detach().double() @ b.down_RI.detach().double().mT
    return a.scale * b.scale * float((up_RS * down_RS).sum())


def _quotient(value: float, norm_a: float, norm_b: float) -> float:
    if norm_a == 0.0 or norm_b == 0.0:
        return 0.0
    return max(-1.0, min(1.0, value / norm_a / norm_b))


def _module_gram(modules: Sequence[Delta]) -> Tensor:
    ups_OP = torch.cat([m.scale * m.up_OR.detach().double() for m in modules], dim=1)
    downs_PI = torch.cat([m.down_RI.detach().double() for m in modules])
    device = ups_OP.device
    owners = [torch.full((m.rank,), i, device=device) for i, m in enumerate(modules)]
    owner_P = torch.cat(owners)
    num = len(modules)
    total_NN = torch.zeros(num * num, dtype=torch.float64, device=device)
    panels = [slice(i, i + _PANEL) for i in range(0, ups_OP.shape[1], _PANEL)]
    for number, rows in enumerate(panels):
        for columns in panels[number:]:
            both = (ups_OP[:, rows].mT @ ups_OP[:, columns]) * (
                downs_PI[rows] @ downs_PI[columns].mT
            )
            pairs = owner_P[rows][:, None] * num + owner_P[columns]
            total_NN.index_add_(0, pairs.flatten(), both.flatten())
            if columns != rows:  # the mirrored panel
                pairs = owner_P[columns][:, None] * num + owner_P[rows]
                total_NN.index_add_(0, pairs.flatten(), both.mT.flatten())
    gram_NN = total_NN.view(num, num)
    return (gram_NN + gram_NN.mT) / 2
