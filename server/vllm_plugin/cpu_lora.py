"""LoRA on vLLM's CPU path, adapter by adapter, and never on a row that has none.

Upstream fact (vLLM 0.32, `lora/ops/torch_ops/lora_ops.py`): rows without an adapter carry the
index -1, and the stock code reads `weights[index]`, which is the *last slot*. As soon as one batch
mixes base rows with adapter rows and all slots are taken, the base rows are answered with the last
slot's adapter. It also copies the low-rank matrices once per token.

Here the rows are grouped by adapter once per batch, and every adapter is two plain products on its
own rows; rows with -1 are left alone. Owns the kernel only; when it is active is decided in
`__init__`. Shapes: `T` tokens, `I`/`O` in/out features, `R` rank, `N` slots.
"""

from typing import Any

import torch
from torch import Tensor
from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU
from vllm.platforms import current_platform

Rows = tuple[int, "Tensor | slice"]
NAME = f"{__name__}.GroupedPunicaWrapper"


def group_rows(indices_T: Tensor) -> list[Rows]:
    """(slot, its rows) for every slot in use, ascending; -1 is left out.

    Where one slot holds every row, its rows are a slice, so that nothing is copied.
    """
    slots = sorted({slot for slot in indices_T.tolist() if slot >= 0})
    if len(slots) == 1 and bool((indices_T == slots[0]).all()):
        return [(slots[0], slice(None))]
    return [(slot, (indices_T == slot).nonzero().squeeze(1)) for slot in slots]


def shrink(y_TR: Tensor, x_TI: Tensor, weights: Tensor, scale: float, groups: list[Rows]) -> None:
    """`y[rows] = scale * x[rows] @ A[slot]^T`; `weights` is `(N, 1, R, I)` or `(N, R, I)`."""
    for slot, rows in groups:
        down_RI = weights[slot].reshape(weights.shape[-2:]).to(y_TR.dtype)
        y_TR[rows, : down_RI.shape[0]] = scale * (x_TI[rows].to(y_TR.dtype) @ down_RI.T)


def expand(
    y_TO: Tensor, x_TR: Tensor, weights: Tensor, groups: list[Rows], *, start: int, add: bool
) -> None:
    """`y[rows, start:] += x[rows] @ B[slot]^T`; `weights` is `(N, 1, O, R)` or `(N, O, R)`."""
    for slot, rows in groups:
        up_OR = weights[slot].reshape(weights.shape[-2:]).to(y_TO.dtype)
        out = x_TR[rows].to(y_TO.dtype) @ up_OR.T
        width = min(out.shape[1], y_TO.shape[1] - start)
        if add:
            out[:, :width] += y_TO[rows, start : start + width]
        y_TO[rows, start : start + width] = out[:, :width]


class GroupedPunicaWrapper(PunicaWrapperCPU):  # type: ignore[misc]
    """vLLM's CPU wrapper with its six products replaced; metadata and slots stay vLLM's."""

    _groups: list[Rows] | None = None

    def update_metadata(self, *args: Any, **kwargs: Any) -> None:
        """Take the batch's metadata; the groups are made when they are first needed."""
        super().update_metadata(*args, **kwargs)
        self._groups = None

    def _rows(self) -> list[Rows]:
        if self._groups is None:
            self._groups = group_rows(self.token_lora_indices)
        return self._groups

    def _shrink_prefill(self, y: Tensor, x: Tensor, w_t_all: Tensor, scale: float) -> None:
        shrink(y, x, w_t_all, scale, self._rows())

    _shrink_decode = _shrink_prefill

    def _expand_prefill(self, y: Tensor, x: Tensor, w_t_all: Tensor, add_inputs: bool) -> None:
        expand(y, x, w_t_all, self._rows(), start=0, add=add_inputs)

    _expand_decode = _expand_prefill

    def _expand_slice_prefill(
        self,
        y: Tensor,
        x: Tensor,
        w_t_all: Tensor,
        y_offset: int,
        y_slice_size: int,
        add_inputs: bool,
    ) -> None:
        slice_TO = y[:, y_offset : y_offset + y_slice_size]
        expand(slice_TO, x, w_t_all, self._rows(), start=0, add=add_inputs)

    _expand_slice_decode = _expand_slice_prefill

    def add_lora_logits(
        self,
        y: Tensor,
        x: Tensor,
        lora_a_stacked: Tensor,
        lora_b_stacked: Tensor,
        scale: float,
        *,
        buffer: Tensor | None = None,
        **kwargs: Any,
    ) -> None:
        """The head's update, on the rows that are sampled from."""
        logits = y.view(-1, y.shape[-1])
        hidden = x.view(-1, x.shape[-1])
        groups = group_rows(self.sampler_indices)
        if buffer is None:
            rank = lora_b_stacked.size(-1)
            buffer = torch.zeros((hidden.size(0), rank), dtype=torch.float32, device=x.device)
        shrink(buffer, hidden, lora_a_stacked, scale, groups)
        expand(logits, buffer, lora_b_stacked, groups, start=0, add=True)


def install() -> None:
    """Make vLLM's CPU platform name our wrapper; other platforms are left as they are."""
    if current_platform.is_cpu():
        type(current_platform).get_punica_wrapper = classmethod(lambda cls: NAME)
