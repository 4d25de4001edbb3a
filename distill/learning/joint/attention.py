"""Causal attention within rows of unlike length, forward and backward by hand.

Owns the order in which heads of places are padded into rows, and the two passes. By hand because
for rows of some fifty tokens two batched products and a softmax are a third faster, both passes
together, than the fused kernel. Scores of all rows exist at once, so this is for short rows.
Shapes: `T` places, `H` heads, `G` heads of keys and values, `D` features of a head; per bucket `B`
rows, `L` longest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .layout import Rows


@dataclass(frozen=True)
class Heads:
    """Where each head of each place stands when rows are padded head by head, `(B, H, L)` a bucket:
    `take` gathers them from `(T * H)`, `put` finds them again."""

    num: int
    take: Tensor
    put: Tensor


@dataclass(frozen=True)
class Spread:
    """One step's rows for queries, and for keys and values; per bucket its causal mask."""

    queries: Heads
    keys: Heads
    buckets: tuple[tuple[int, int], ...]
    masks: tuple[Tensor, ...]


def spread(rows: Rows, *, heads: int, key_heads: int, like: Tensor) -> Spread:
    """Prepare a step; every layer then uses it."""
    masks = []
    for _, length in rows.buckets:
        mask = torch.full((length, length), -torch.inf, dtype=like.dtype, device=like.device)
        masks.append(mask.triu_(1).repeat(heads // key_heads, 1))
    return Spread(_heads(rows, heads), _heads(rows, key_heads), rows.buckets, tuple(masks))


def _heads(rows: Rows, num: int) -> Heads:
    device = rows.take_S.device
    head_H = torch.arange(num, device=device)
    places, start = [], 0
    for size, length in rows.buckets:
        row = torch.arange(size, device=device)[:, None, None]
        token = torch.arange(length, device=device)[None, :, None]
        places.append((start + (row * num + head_H) * length + token).view(-1, num))
        start += size * length * num
    at_SH = torch.cat(places)
    take = torch.empty(at_SH.numel(), dtype=torch.long, device=device)
    take[at_SH.flatten()] = (rows.take_S[:, None] * num + head_H).flatten()
    return Heads(num, take, at_SH[rows.put_T].flatten())


def attend(q_THD: Tensor, k_TGD: Tensor, v_TGD: Tensor, rows: Spread, *, scale: float) -> Tensor:
    """Every head of a place looks at its own row, up to itself; returns `(T, H * D)`."""
    out: Tensor = _Attend.apply(q_THD, k_TGD, v_TGD, rows, scale)  # type: ignore[no-untyped-call]
    return out


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, q_THD: Tensor, k_TGD: Tensor, v_TGD: Tensor, rows: Spread, scale: float
    ) -> Tensor:
        qs = _by_bucket(_take(q_THD, rows.queries), rows.queries, rows)
        ks, vs = (_by_bucket(_take(x, rows.keys), rows.keys, rows) for x in (k_TGD, v_TGD))
        outs, saved = [], []
        for q, k, v, mask in zip(qs, ks, vs, rows.masks, strict=True):
            seen = torch.bmm(q, k.mT).mul_(scale).add_(mask).softmax(-1)
            outs.append(torch.bmm(seen, v).view(-1, q.shape[-1]))
            saved += [q, k, v, seen]
        ctx.save_for_backward(*saved)
        ctx.rows, ctx.scale = rows, scale
        return _put(outs, rows.queries).view(q_THD.shape[0], -1)

    @staticmethod
    def backward(ctx: Any, dy_TF: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        rows: Spread = ctx.rows
        saved = ctx.saved_tensors
        dim = saved[0].shape[-1]
        dy = dy_TF.new_zeros(rows.queries.take.numel(), dim)
        dy.index_copy_(0, rows.queries.put, dy_TF.view(-1, dim))
        grads: tuple[list[Tensor], ...] = ([], [], [])
        for at, d_out in enumerate(_by_bucket(dy, rows.queries, rows)):
            q, k, v, seen = saved[4 * at : 4 * at + 4]
            d_seen = torch.bmm(d_out, v.mT)
            d_score = torch.ops.aten._softmax_backward_data(d_seen, seen, -1, seen.dtype)
            d_score.mul_(ctx.scale)
            grads[0].append(torch.bmm(d_score, k).view(-1, dim))
            grads[1].append(torch.bmm(d_score.mT, q).view(-1, dim))
            grads[2].append(torch.bmm(seen.mT, d_out).view(-1, dim))
        owners = (rows.queries, rows.keys, rows.keys)
        dq, dk, dv = (
            _put(parts, own).view(-1, own.num, dim)
            for parts, own in zip(grads, owners, strict=True)
        )
        return dq, dk, dv, None, None


def _take(x_THD: Tensor, heads: Heads) -> Tensor:
    return x_THD.reshape(-1, x_THD.shape[-1]).index_select(0, heads.take)


def _put(parts: Sequence[Tensor], heads: Heads) -> Tensor:
    whole = parts[0] if len(parts) == 1 else torch.cat(list(parts))
    return whole.index_select(0, heads.put)


def _by_bucket(x_PD: Tensor, heads: Heads, rows: Spread) -> list[Tensor]:
    """Padded heads, as batches of `B * G` for products; query heads of one key head are joined."""
    sizes = [num * length * heads.num for num, length in rows.buckets]
    shapes = [(num * rows.keys.num, -1, x_PD.shape[-1]) for num, _ in rows.buckets]
    parts = x_PD.split_with_sizes(sizes)
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]
