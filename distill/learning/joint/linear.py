"""Frozen projections of one input, and every adapter's update of them, forward and backward.

One product with each frozen weight over the tokens of all adapters at hand; then per adapter, over
its own segment, one product down for the whole group and one up for each projection. Gradients of
the factors are added where the optimiser reads them. Plain functions without a graph: `blocks.py`
makes autograd of them. Shapes: `T` places, `I`/`O` in/out features, `S` places of one adapter,
`R` rank.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .weights import Factors, Weights


@dataclass(frozen=True)
class Group:
    """Frozen modules that read the same input, by name."""

    names: tuple[str, ...]
    modules: tuple[nn.Linear, ...]


@dataclass(frozen=True)
class Segments:
    """Adapters in the order of their places, and how many places each has."""

    weights: tuple[Weights, ...]
    sizes: tuple[int, ...]


def frozen(x_TI: Tensor, weight_OI: Tensor, bias_O: Tensor | None = None) -> Tensor:
    """`x W^T + b` without a graph. In float32 on a CPU by oneDNN, which uses the widest vectors of
    any maker's processor; twice as fast as the default on some."""
    if x_TI.dtype == torch.float32 and x_TI.device.type == "cpu" and _HAS_ONEDNN:
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x_TI, weight_OI, bias_O, "none", [], "")
        return out
    return nn.functional.linear(x_TI, weight_OI, bias_O)


_HAS_ONEDNN = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


def forward(x_TI: Tensor, group: Group, segments: Segments) -> tuple[list[Tensor], list[Tensor]]:
    """`x W^T + b + scale * (x A^T) B^T` for every module of the group, A and B by place.

    Returns:
        One `(T, O)` a module, and what `backward` needs.
    """
    outs = [frozen(x_TI, m.weight, m.bias) for m in group.modules]
    parts = [out.split_with_sizes(segments.sizes) for out in outs]
    hidden: list[Tensor] = []
    for at, own, x_SI in _adapters(x_TI, group, segments):
        h_SR = x_SI.mm(own.down_t)
        hidden.append(h_SR)
        hs = h_SR.split_with_sizes(own.ranks, 1) if len(own.ranks) > 1 else (h_SR,)
        for up, h in zip(own.ups, hs, strict=True):
            parts[up.place][at].addmm_(h, up.value, alpha=own.scale)
    return outs, hidden


def backward(
    grads: Sequence[Tensor],
    x_TI: Tensor,
    hidden: Sequence[Tensor],
    *,
    group: Group,
    segments: Segments,
    needed: bool = True,
) -> Tensor | None:
    """Add the gradients of the factors; return that of the input where it is `needed`."""
    dx_TI: Tensor | None = None
    dx_parts: Sequence[Tensor] = ()
    if needed:
        dx_TI = frozen(grads[0], group.modules[0].weight.t())
        for grad, module in zip(grads[1:], group.modules[1:], strict=True):
            dx_TI += frozen(grad, module.weight.t())
        dx_parts = dx_TI.split_with_sizes(segments.sizes)
    parts = [grad.split_with_sizes(segments.sizes) for grad in grads]
    rest = iter(hidden)
    for at, own, x_SI in _adapters(x_TI, group, segments):
        h_SR = next(rest)
        dh_SR = torch.empty_like(h_SR)
        one = len(own.ranks) == 1
        hs = (h_SR,) if one else h_SR.split_with_sizes(own.ranks, 1)
        dhs = (dh_SR,) if one else dh_SR.split_with_sizes(own.ranks, 1)
        for up, h, dh in zip(own.ups, hs, dhs, strict=True):
            dy_SO = parts[up.place][at]
            up.grad.addmm_(h.t(), dy_SO, alpha=own.scale)
            torch.mm(dy_SO, up.value_t, out=dh)
        own.down_grad.addmm_(dh_SR.t(), x_SI, alpha=own.scale)
        if dx_parts:
            dx_parts[at].addmm_(dh_SR, own.down, alpha=own.scale)
    return dx_TI


def _adapters(
    x_TI: Tensor, group: Group, segments: Segments
) -> Iterator[tuple[int, Factors, Tensor]]:
    """Adapters that have places and targets here: number, factors, input."""
    key = group.names[0]
    parts = x_TI.split_with_sizes(segments.sizes)
    for at, weights in enumerate(segments.weights):
        own = weights.factors.get(key)
        if own is not None and segments.sizes[at]:
            yield at, own, parts[at]
