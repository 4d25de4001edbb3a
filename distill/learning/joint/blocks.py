"""The two places of a layer where adapters work, as autograd sees them.

Owns `project` (projections of one input) and `feed_forward` (norm, gated unit and residual sum).
Gradients of adapters go where the optimiser reads them, never through autograd. Every product's
input is kept: finding one again is a pass over memory, and passes cost more here than room does.
Shapes: `T` places, `F` features.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .linear import Group, Segments, backward, forward
from .ops import inverse_rms, rms_backward


@dataclass(frozen=True)
class Mlp:
    """Frozen parts of a feed-forward block: norm, the two wide projections, the one down."""

    norm: Tensor
    eps: float
    wide: Group
    down: Group


def project(x_TF: Tensor, group: Group, segments: Segments) -> tuple[Tensor, ...]:
    """Every projection of the group with each place's adapter."""
    anchor = segments.weights[0].param  # so that autograd comes by where the input needs nothing
    out: tuple[Tensor, ...] = _Project.apply(x_TF, anchor, group, segments)  # type: ignore[no-untyped-call]
    return out


def feed_forward(x_TF: Tensor, mlp: Mlp, segments: Segments) -> Tensor:
    """`x + down(silu(gate(norm(x))) * up(norm(x)))` with each place's adapter."""
    out: Tensor = _FeedForward.apply(x_TF, mlp, segments)  # type: ignore[no-untyped-call]
    return out


class _Project(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x_TF: Tensor, anchor: Tensor, group: Group, segments: Segments
    ) -> tuple[Tensor, ...]:
        outs, hidden = forward(x_TF, group, segments)
        ctx.save_for_backward(x_TF, *hidden)
        ctx.group, ctx.segments = group, segments
        return tuple(outs)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, None, None, None]:
        x_TF, *hidden = ctx.saved_tensors
        needed = ctx.needs_input_grad[0]
        dx = backward(grads, x_TF, hidden, group=ctx.group, segments=ctx.segments, needed=needed)
        return dx, None, None, None


class _FeedForward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_TF: Tensor, mlp: Mlp, segments: Segments) -> Tensor:
        inverse = inverse_rms(x_TF, mlp.eps)
        normed = (x_TF * inverse).mul_(mlp.norm)
        (gate, up), wide_hidden = forward(normed, mlp.wide, segments)
        chance = torch.sigmoid(gate)
        silu = gate.mul_(chance)
        gated = silu * up
        (down,), down_hidden = forward(gated, mlp.down, segments)
        ctx.save_for_backward(
            x_TF, inverse, normed, chance, silu, up, gated, *wide_hidden, *down_hidden
        )
        ctx.mlp, ctx.segments, ctx.num_wide = mlp, segments, len(wide_hidden)
        return down.add_(x_TF)

    @staticmethod
    def backward(ctx: Any, dy_TF: Tensor) -> tuple[Tensor, None, None]:
        mlp: Mlp = ctx.mlp
        x_TF, inverse, normed, chance, silu, up, gated, *hidden = ctx.saved_tensors
        wide_hidden, down_hidden = hidden[: ctx.num_wide], hidden[ctx.num_wide :]
        d = backward([dy_TF], gated, down_hidden, group=mlp.down, segments=ctx.segments)
        assert d is not None
        # d(silu)/d(gate) * up = chance up + (1 - chance) gated, as silu = chance gate: one pass
        grads = [torch.lerp(gated, up, chance).mul_(d), d.mul_(silu)]
        d = backward(grads, normed, wide_hidden, group=mlp.wide, segments=ctx.segments)
        assert d is not None
        return rms_backward(d, x_TF, inverse, mlp.norm).add_(dy_TF), None, None
