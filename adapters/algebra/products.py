"""Inner products, norms and cosines of adapters, without a d x d matrix. Pure.

`<D_a, D_b> = s_a s_b trace((B_b^T B_a)(A_a A_b^T)) = s_a s_b sum((B_a^T B_b) * (A_a A_b^T))`: two
matrices of rank by rank. Everything is float64; a sum of `P` rank-one terms of norms `v_p` is good
to some `1e-15 (sum v_p)^2`, so a norm that cancels below 1e-6 of its terms is taken from the QR.

Shape letters: `N` adapters, `P` sum of their ranks, `R`/`S` ranks, `I` in, `O` out features.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

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
    return math.hypot(*module_norms(a).values())


def module_norms(a: AdapterDelta) -> dict[str, float]:
    """The Frobenius norm of every module.

    Raises:
        ValueError: as `norm`.
    """
    check_deltas([a])
    return {name: _norm(name, module) for name, module in a.items()}


def cosine(a: AdapterDelta, b: AdapterDelta) -> float:
    """`<D_a, D_b> / (||D_a|| ||D_b||)` over all modules; 0 where one of them is zero.

    Random directions of this many dimensions are nearly orthogonal anyway: compare with a shuffled
    or norm-matched random adapter before reading a meaning into a small number.

    Raises:
        ValueError: as `inner`.
    """
    check_deltas([a, b])
    return _bounded(inner(_over(a, norm(a)), _over(b, norm(b))))


def module_cosines(a: AdapterDelta, b: AdapterDelta) -> dict[str, float]:
    """The cosine of every module that both have.

    Raises:
        ValueError: as `inner`.
    """
    check_deltas([a, b])
    return {
        name: _bounded(
            _inner(_unit(a[name], _norm(name, a[name])), _unit(b[name], _norm(name, b[name])))
        )
        for name in a
        if name in b
    }


def gram(deltas: Sequence[AdapterDelta]) -> Float[Tensor, "N N"]:
    """All pairwise inner products, symmetric, float64, on the CPU.

    Per module all factors are laid side by side, so that `N^2` inner products are two matrix
    products, by panels of bounded size. The diagonal is that of `norm`; beside it, what cancels
    below `1e-15` of its rank-one terms (see above) is rounding, as it is in `inner`.

    Raises:
        ValueError: as `norm`.
    """
    check_deltas(deltas)
    total_NN = torch.zeros(len(deltas), len(deltas), dtype=torch.float64)
    for name in module_names(deltas):
        holders = [i for i, delta in enumerate(deltas) if name in delta]
        modules = [deltas[i][name] for i in holders]
        part = _module_gram(modules).cpu()
        squares = [square_norm(name, module) for module in modules]
        part.diagonal().copy_(torch.tensor(squares, dtype=torch.float64))
        total_NN[torch.tensor(holders)[:, None], torch.tensor(holders)] += part
    return total_NN


def cosines(deltas: Sequence[AdapterDelta]) -> Float[Tensor, "N N"]:
    """All pairwise cosines; 0 in the rows of zero adapters, float64, on the CPU.

    Good to some `1e-15 t_a t_b`, where `t` is the sum of an adapter's rank-one terms over its norm:
    a difference of adapters that cancels to 1e-8 of them has a cosine good to 1e-7.

    Raises:
        ValueError: as `norm`.
    """
    check_deltas(deltas)
    gram_NN = gram([_over(delta, norm(delta)) for delta in deltas])
    norms_N = gram_NN.diagonal().clamp(min=0.0).sqrt()
    scale_N = torch.where(norms_N > 0.0, 1.0 / norms_N, torch.zeros_like(norms_N))
    return (gram_NN * scale_N[:, None] * scale_N).clamp(-1.0, 1.0)


def square_norm(name: str, module: Delta) -> float:
    """`||D||_F^2` of one module; from the QR where the rank-one terms cancel.

    Raises:
        ValueError: a value is not finite.
    """
    return _unscaled_square(name, module) * module.scale * module.scale


def _unscaled_square(name: str, module: Delta) -> float:
    up_OR, down_IR = module.up_OR.detach().double(), module.down_RI.detach().double().mT
    gram_up, gram_down = up_OR.mT @ up_OR, down_IR.mT @ down_IR
    value = (gram_up * gram_down).sum()
    check_finite(value, name)
    terms = float((gram_up.diagonal() * gram_down.diagonal()).sqrt().sum())
    if float(value) <= 1e-12 * terms * terms:
        core = torch.linalg.qr(up_OR)[1] @ torch.linalg.qr(down_IR)[1].mT
        value = core.square().sum()
    return float(value)


def _norm(name: str, module: Delta) -> float:
    return math.sqrt(_unscaled_square(name, module)) * abs(module.scale)


def _inner(a: Delta, b: Delta) -> float:
    up_RS = a.up_OR.detach().double().mT @ b.up_OR.detach().double()
    down_RS = a.down_RI.detach().double() @ b.down_RI.detach().double().mT
    return a.scale * b.scale * float((up_RS * down_RS).sum())


def _over(delta: AdapterDelta, whole: float) -> AdapterDelta:
    """Of norm 1, so that no product over- or underflows; a zero adapter as it is."""
    return {name: _unit(module, whole) for name, module in delta.items()}


def _unit(module: Delta, whole: float) -> Delta:
    return replace(module, scale=module.scale / whole if whole else 0.0)


def _bounded(value: float) -> float:
    return max(-1.0, min(1.0, value))


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
