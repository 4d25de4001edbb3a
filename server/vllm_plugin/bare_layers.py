"""A batch without adapters goes through a linear layer as if LoRA were off.

Upstream fact (vLLM 0.32, `lora/layers/column_parallel_linear.py`, `row_parallel_linear.py`,
`replicated_linear.py`): `forward` of a layer with LoRA does again in Python what the layer below it
does, and asks the wrapper for an update even where no row has an adapter: 3 to 8 us a layer
(measured, one thread), which a small model feels on every token. The layer below returns the same,
bias and gathering included.

Owns the shortcut. Refuses to own what an adapter adds (`cpu_lora.py`); on other platforms, where
the wrapper is not ours, nothing changes.
"""

import functools
from collections.abc import Callable
from typing import Any

from vllm.lora.layers import (
    ColumnParallelLinearWithLoRA,
    ReplicatedLinearWithLoRA,
    RowParallelLinearWithLoRA,
)

from .cpu_lora import GroupedPunicaWrapper

MARK = "_skillweave"
LAYERS = (ColumnParallelLinearWithLoRA, RowParallelLinearWithLoRA, ReplicatedLinearWithLoRA)
"""Every linear layer with LoRA is one of these; fused ones inherit `forward`."""


def shortcut(stock: Callable[..., Any]) -> Callable[..., Any]:
    """`forward` that asks the layer below where the batch has no adapter."""

    @functools.wraps(stock)
    def forward(self: Any, input_: Any) -> Any:
        wrapper = self.__dict__.get("punica_wrapper")
        if isinstance(wrapper, GroupedPunicaWrapper) and wrapper.idle:
            return self._modules["base_layer"](input_)
        return stock(self, input_)

    setattr(forward, MARK, True)
    return forward


def install() -> None:
    """Wrap `forward` of the linear layers; a second call does nothing."""
    for layer in LAYERS:
        if not hasattr(layer.forward, MARK):
            layer.forward = shortcut(layer.forward)
