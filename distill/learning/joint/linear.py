"""Frozen projections of one input, and every adapter's update of them, forward and backward.

One product with each frozen weight over the tokens of all adapters; then per adapter, over its own
segment, one product down for the whole group and one up for each projection. Gradients of the
factors are added where the optimiser reads them; autograd carries only that of the input. Shapes:
`T` places, `I`/`O` in/out features, `S` places of one adapter, `R` rank.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .weights import Weights


@dataclass(frozen=True)
class Group:
    """Frozen modules that read the same input, by name."""

    names: tuple[str, ...]
    modules: tuple[nn.Linear, ...]


@dataclass(frozen=True)
class Segments:
    """Adapters in the order of their places, and how many places each has."""

    weights: Sequence[Weights]
    sizes: tuple[int, ...]


def project(x_TI: Tensor, group: Group, segments: Segments) -> tuple[Tensor, ...]:
    """`x W^T + b + scale * (x A^T) B^T` for every module of the group, A and B by place.

    Args:
        x_TI: input at all places.
    Returns:
        One `(T, O)` a module.
    """
    anchor = segments.weights[0].param  # so that autograd comes by where the input needs nothing
    out: tuple[Tensor, ...] = _Project.apply(x_TI, anchor, group, segments)  # type: ignore[no-untyped-call]
    return out


def frozen(x_TI: Tensor, weight_OI: Tensor, bias_O: Tensor | None = None) -> Tensor:
    """`x W^T + b` without a graph. In float32 on a CPU by oneDNN, which uses the widest vectors of
    any maker's processor; twice as fast as the default on some."""
    if x_TI.dtype == torch.float32 and x_TI.device.type == "cpu" and _HAS_ONEDNN:
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x_TI, weight_OI, bias_O, "none", [], "")
        return out
    return nn.functional.linear(x_TI, weight_OI, bias_O)


_HAS_ONEDNN = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


class _Project(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x_TI: Tensor, anchor: Tensor, group: Group, segments: Segments
    ) -> tuple[Tensor, ...]:
        outs = tuple(frozen(x_TI, m.weight, m.bias) for m in group.modules)
        out_parts = [out.split_with_sizes(segments.sizes) for out in outs]
        hidden: list[Tensor] = []
        for at, (weights, x_SI) in enumerate(
            zip(segments.weights, x_TI.split_with_sizes(segments.sizes), strict=True)
        ):
            mine = _targets(group, weights)
            if not mine or not x_SI.shape[0]:
                continue
            h_SR = x_SI.mm(weights.down[group.names[mine[0]]].t())
            hidden.append(h_SR)
            rank, scale = weights.spec.rank, weights.spec.scale
            for which, h in zip(mine, h_SR.split_with_sizes([rank] * len(mine), 1), strict=True):
                out_parts[which][at].addmm_(h, weights.up[group.names[which]], alpha=scale)
        ctx.save_for_backward(x_TI, *hidden)
        ctx.group, ctx.segments = group, segments
        return outs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, None, None, None]:
        group: Group = ctx.group
        segments: Segments = ctx.segments
        x_TI, *hidden = ctx.saved_tensors
        dx_TI = _frozen_backward(grads, group) if ctx.needs_input_grad[0] else None
        dx_parts = (
            (None,) * len(segments.sizes)
            if dx_TI is None
            else dx_TI.split_with_sizes(segments.sizes)
        )
        grad_parts = [grad.split_with_sizes(segments.sizes) for grad in grads]
        rest = iter(hidden)
        for at, (weights, x_SI) in enumerate(
            zip(segments.weights, x_TI.split_with_sizes(segments.sizes), strict=True)
        ):
            mine = _targets(group, weights)
            if not mine or not x_SI.shape[0]:
                continue
            names = [group.names[which] for which in mine]
            dys = [grad_parts[which][at] for which in mine]
            _adapter_backward(weights, names, dys, x_SI, next(rest), dx_parts[at])
        return dx_TI, None, None, None


def _targets(group: Group, weights: Weights) -> list[int]:
    return [which for which, name in enumerate(group.names) if name in weights.up]


def _frozen_backward(grads: Sequence[Tensor], group: Group) -> Tensor:
    total_TI = frozen(grads[0], group.modules[0].weight.t())
    for grad, module in zip(grads[1:], group.modules[1:], strict=True):
        total_TI += frozen(grad, module.weight.t())
    return total_TI


def _adapter_backward(
    weights: Weights,
    names: Sequence[str],
    dys: Sequence[Tensor],
    x_SI: Tensor,
    h_SR: Tensor,
    dx_SI: Tensor | None,
) -> None:
    """Add one adapter's gradients, and its part of the input's into `dx_SI`."""
    rank, scale = weights.spec.rank, weights.spec.scale
    dh_SR = torch.empty_like(h_SR)
    ranks = [rank] * len(names)
    parts = zip(h_SR.split_with_sizes(ranks, 1), dh_SR.split_with_sizes(ranks, 1), strict=True)
    for name, dy_SO, (h, dh) in zip(names, dys, parts, strict=True):
        weights.up_grad[name].addmm_(h.t(), dy_SO, alpha=scale)
        torch.mm(dy_SO, weights.up[name].t(), out=dh)
    weights.down_grad[names[0]].addmm_(dh_SR.t(), x_SI, alpha=scale)
    if dx_SI is not None:
        dx_SI.addmm_(dh_SR, weights.down[names[0]], alpha=scale)
