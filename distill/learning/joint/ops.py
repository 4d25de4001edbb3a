"""The parts of a decoder without weights to learn, each with its backward pass written by hand.

Owns normalisation, rotation and log-probabilities of targets. By hand because at a small hidden
size the number of operations is the price. Shapes: `T` places, `F` features, `H` heads, `D`
features of a head, `V` vocabulary, `K` picked places, `C` of a chunk.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from .linear import frozen


def inverse_rms(x: Tensor, eps: float) -> Tensor:
    """`1 / sqrt(mean(x^2) + eps)` over the last dimension, which stays, as 1."""
    norm: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return norm.square_().div_(x.shape[-1]).add_(eps).rsqrt_()


def rms_backward(dy: Tensor, x: Tensor, inverse: Tensor, weight: Tensor) -> Tensor:
    """Gradient of `x * inverse * weight`, `inverse` being `inverse_rms(x)`."""
    dw = dy * weight
    mean = torch.linalg.vecdot(dw, x).unsqueeze(-1)
    mean = mean.mul_(inverse.pow(3)).div_(-x.shape[-1])
    return dw.mul_(inverse).addcmul_(x, mean)


class RmsNorm(torch.autograd.Function):
    """`x / rms(x) * w` over the last dimension."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        inverse = inverse_rms(x, eps)
        ctx.save_for_backward(x, inverse, weight)
        return (x * inverse).mul_(weight)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, None, None]:
        return rms_backward(dy, *ctx.saved_tensors), None, None


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
            logits = logits if logits.dtype == torch.float64 else logits.float()
            p_CV = logits.softmax(-1)
            # exp(max - logsumexp) is the likeliest p: far from 0, as a target's need not be
            total_C = logits.amax(-1).sub_(p_CV.amax(-1).log_())
            logps.append(logits.gather(1, targets[:, None])[:, 0].sub_(total_C))
            if ctx.needs_input_grad[0]:
                mean = frozen(p_CV.to(weight_VF.dtype), weight_VF.t())
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


_CHUNK = 256
"""Places whose logits exist at a time. Fewer fit a core's cache, but a product over fewer rows pays
more for reading the head than it saves."""
