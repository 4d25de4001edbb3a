"""The parts of a decoder without weights to learn, each with its backward pass written by hand.

Owns normalisation, rotation, the gated unit, attention over rows, and log-probabilities of targets.
By hand because at a small hidden size the number of operations is the price. Each backward pass may
run once. Shapes: `T` places, `F` features, `H` heads, `D` features of a head, `V` vocabulary,
`S` slots of padded rows, `K` picked places, `C` of a chunk.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .layout import Rows
from .linear import frozen


class RmsNorm(torch.autograd.Function):
    """`x / rms(x) * w` over the last dimension; at least in float32, as the models themselves."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        wide = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
        inverse = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
        inverse = inverse.square_().div_(x.shape[-1]).add_(eps).rsqrt_()
        ctx.save_for_backward(wide, inverse, weight)
        out: Tensor = (wide * inverse).to(x.dtype)
        return out.mul_(weight)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, None, None]:
        x, inverse, weight = ctx.saved_tensors
        dw = (dy * weight).to(x.dtype)
        mean = torch.linalg.vecdot(dw, x).unsqueeze(-1)
        mean = mean.mul_(inverse.pow(3)).div_(-x.shape[-1])
        return dw.mul_(inverse).addcmul_(x, mean).to(dy.dtype), None, None


class Rotate(torch.autograd.Function):
    """Rotary positions: `x cos + rotate_half(x) sin`; x `(T, H, D)`, cos and sin `(T, 1, D)`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        half = x.shape[-1] // 2
        out = x * cos
        out[..., :half].addcmul_(x[..., half:], sin[..., :half], value=-1)
        out[..., half:].addcmul_(x[..., :half], sin[..., half:])
        return out

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        half = dy.shape[-1] // 2
        dx = dy * cos
        dx[..., :half].addcmul_(dy[..., half:], sin[..., half:])
        dx[..., half:].addcmul_(dy[..., :half], sin[..., :half], value=-1)
        return dx, None, None


class Gate(torch.autograd.Function):
    """`silu(gate) * up`."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        ctx.save_for_backward(gate, up)
        return F.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
        gate, up = ctx.saved_tensors
        dup = F.silu(gate).mul_(dy)
        return torch.ops.aten.silu_backward(dy * up, gate), dup


class Take(torch.autograd.Function):
    """Places `(T, F)` to slots `(S, F)`; what stands in padding has no meaning."""

    @staticmethod
    def forward(ctx: Any, x_TF: Tensor, rows: Rows) -> Tensor:
        ctx.rows = rows
        return x_TF.index_select(0, rows.take_S)

    @staticmethod
    def backward(ctx: Any, dy_SF: Tensor) -> tuple[Tensor, None]:
        return dy_SF.index_select(0, ctx.rows.put_T), None


class Put(torch.autograd.Function):
    """Slots `(S, F)` back to places `(T, F)`."""

    @staticmethod
    def forward(ctx: Any, x_SF: Tensor, rows: Rows) -> Tensor:
        ctx.rows = rows
        return x_SF.index_select(0, rows.put_T)

    @staticmethod
    def backward(ctx: Any, dy_TF: Tensor) -> tuple[Tensor, None]:
        rows: Rows = ctx.rows
        dx_SF = dy_TF.new_zeros(rows.take_S.numel(), dy_TF.shape[1])
        return dx_SF.index_copy_(0, rows.put_T, dy_TF), None


class Pick(torch.autograd.Function):
    """Some places: `(T, F)` to `(K, F)`."""

    @staticmethod
    def forward(ctx: Any, x_TF: Tensor, picked_K: Tensor) -> Tensor:
        ctx.save_for_backward(picked_K)
        ctx.num = x_TF.shape[0]
        return x_TF.index_select(0, picked_K)

    @staticmethod
    def backward(ctx: Any, dy_KF: Tensor) -> tuple[Tensor, None]:
        (picked_K,) = ctx.saved_tensors
        return dy_KF.new_zeros(ctx.num, dy_KF.shape[1]).index_add_(0, picked_K, dy_KF), None


class TargetLogp(torch.autograd.Function):
    """Log-probability of one target a place under the frozen head: `(K, F)` to `(K,)`.

    Its gradient, the target's row of the head minus the rows' mean under the model, is found on the
    way forward, a few places at a time: the `(K, V)` logits never exist as a whole.
    """

    @staticmethod
    def forward(ctx: Any, x_KF: Tensor, weight_VF: Tensor, targets_K: Tensor) -> Tensor:
        slopes, logps = [], []
        for x, targets in _chunks(x_KF, targets_K):
            logits = frozen(x, weight_VF)
            logp_CV = (logits if logits.dtype == torch.float64 else logits.float()).log_softmax(-1)
            logps.append(logp_CV.gather(1, targets[:, None])[:, 0])
            if ctx.needs_input_grad[0]:
                mean = frozen(logp_CV.exp_().to(weight_VF.dtype), weight_VF.t())
                slopes.append(weight_VF.index_select(0, targets).sub_(mean))
        if slopes:
            ctx.save_for_backward(torch.cat(slopes))
        return torch.cat(logps)

    @staticmethod
    def backward(ctx: Any, dy_K: Tensor) -> tuple[Tensor, None, None]:
        (slope_KF,) = ctx.saved_tensors
        return slope_KF * dy_K[:, None].to(slope_KF.dtype), None, None


def _chunks(x_KF: Tensor, targets_K: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    for start in range(0, x_KF.shape[0], _CHUNK):
        yield x_KF[start : start + _CHUNK], targets_K[start : start + _CHUNK]


_CHUNK = 128
"""Places whose logits exist at a time: 128 times a vocabulary of 3392 fit a core's cache."""


def attend(q_THD: Tensor, k_TGD: Tensor, v_TGD: Tensor, rows: Rows, *, scale: float) -> Tensor:
    """Causal attention within each row; returns `(T, H * D)`. `G` heads of keys and values."""
    padded: list[Tensor] = [Take.apply(x.flatten(1), rows) for x in (q_THD, k_TGD, v_TGD)]  # type: ignore[no-untyped-call]
    sizes = [num * longest for num, longest in rows.buckets]
    head_dim, out = q_THD.shape[2], []
    for bucket, *parts in zip(
        rows.buckets, *(x.split_with_sizes(sizes) for x in padded), strict=True
    ):
        q, k, v = (x.view(*bucket, -1, head_dim).transpose(1, 2) for x in parts)
        mixed = F.scaled_dot_product_attention(
            q, k, v, is_causal=True, scale=scale, enable_gqa=q.shape[1] != k.shape[1]
        )
        out.append(mixed.transpose(1, 2).reshape(bucket[0] * bucket[1], -1))
    back: Tensor = Put.apply(torch.cat(out), rows)  # type: ignore[no-untyped-call]
    return back
