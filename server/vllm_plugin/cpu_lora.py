"""LoRA on vLLM's CPU path, adapter by adapter, and never on a row that has none.

Upstream fact (vLLM 0.32, `lora/ops/torch_ops/lora_ops.py`): rows without an adapter carry the
index -1, and the stock code reads `weights[index]`, which is the *last slot*. As soon as one batch
mixes base rows with adapter rows and all slots are taken, the base rows are answered with the last
slot's adapter. It also copies the low-rank matrices once per token, padded to the largest rank.

Here the rows are grouped by adapter once per batch, every adapter is one pair of products on its
own rows and its true rank, and rows with -1 are left alone; a batch without adapters costs a look.
Owns the wrapper that vLLM calls. Refuses to own the arithmetic (`factors.py`), the grouping
(`groups.py`) and when it is active (`__init__`). Shapes: `T` rows, `I`/`O` in/out features, `R`
rank, `N` slots.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor
from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU
from vllm.platforms import current_platform

from .factors import Module, Stacks, add_updates
from .groups import Batch, lay_out, whole

NAME = f"{__name__}.GroupedPunicaWrapper"

log = logging.getLogger("vllm.skillweave")


class GroupedPunicaWrapper(PunicaWrapperCPU):  # type: ignore[misc]
    """vLLM's CPU wrapper with its products replaced; metadata and slots stay vLLM's.

    A module is known by the `id` of what vLLM stacks its weights in, which is kept beside it, so
    that no other object can get that `id`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tokens = self._sampled = Batch()
        self._modules: dict[int, tuple[object, Module]] = {}
        self._stacks: dict[int, tuple[Tensor, dict[int, bool]]] = {}

    def update_metadata(self, *args: Any, **kwargs: Any) -> None:
        """Take the batch's metadata; vLLM calls this only where rows or slots changed."""
        super().update_metadata(*args, **kwargs)
        self._tokens = lay_out(self.token_lora_indices)
        self._sampled = lay_out(self.sampler_indices)

    @property
    def idle(self) -> bool:
        """Whether no row of the batch has an adapter."""
        return not self._tokens.stretches

    def forget(self, slot: int) -> None:
        """A slot holds other weights than before."""
        for _, module in self._modules.values():
            module.forget(slot)
        for _, acting in self._stacks.values():
            acting.pop(slot, None)

    def add_lora_linear(
        self,
        y: Tensor,
        x: Tensor,
        lora_a_stacked: Stacks,
        lora_b_stacked: Stacks,
        scale: float,
        output_slices: tuple[int, ...],
        *,
        buffer: Stacks | None = None,
        **kwargs: Any,
    ) -> None:
        """A linear module's update, fused projections together."""
        if not self.idle:
            module = self._module(lora_a_stacked, lora_a_stacked, lora_b_stacked, output_slices)
            add_updates(y, x, module, self._tokens, scale=scale)

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
        """The head's update, on the rows that are sampled from.

        vLLM also asks for the logits of a prompt's rows and does not say whose they are: where the
        batch is one adapter's, they are its own; else they are left to the base, with a warning.
        """
        batch, num_known = self._sampled, len(self.sampler_indices)
        if not batch.stretches:
            return
        logits, hidden = y.view(-1, y.shape[-1]), x.view(-1, x.shape[-1])
        width = min(lora_b_stacked.shape[-2], logits.shape[1])
        module = self._module(lora_a_stacked, (lora_a_stacked,), (lora_b_stacked,), (width,))
        if not any(module.factors(stretch) for stretch in batch.stretches):
            return
        if len(hidden) != num_known:
            batch = whole(batch, num_known, len(hidden))
            if not batch.stretches:
                log.warning("log-probabilities of a prompt leave out an adapter's part on the head")
        add_updates(logits, hidden, module, batch, scale=scale)

    def add_shrink(
        self,
        y: Sequence[Tensor] | Tensor,
        x: Tensor,
        lora_a_stacked: Stacks,
        scale: float,
        **kwargs: Any,
    ) -> None:
        """The first half alone, for fully sharded adapters: `y[part][rows] = scale * x @ A^T`."""
        rows = x.view(-1, x.shape[-1])
        for part, down in enumerate(lora_a_stacked):
            out = y[part].view(-1, y[part].shape[-1])
            self._multiply(out, rows, down, scale=scale, add=False)

    def add_expand(
        self,
        y: Tensor,
        x: Sequence[Tensor] | Tensor,
        lora_b_stacked: Stacks,
        output_slices: tuple[int, ...],
        offset_start: int = 0,
        add_inputs: bool = True,
        **kwargs: Any,
    ) -> None:
        """The second half alone: `y[rows, columns of the part] += x[part] @ B^T`."""
        out, start = y.view(-1, y.shape[-1]), offset_start
        for part, (up, width) in enumerate(zip(lora_b_stacked, output_slices, strict=True)):
            rows = x[part].view(-1, x[part].shape[-1])
            self._multiply(out[:, start : start + width], rows, up, scale=1.0, add=add_inputs)
            start += width

    def add_lora_embedding(
        self,
        y: Tensor,
        x: Tensor,
        lora_b_stacked: Tensor,
        add_inputs: bool = True,
        **kwargs: Any,
    ) -> None:
        """The embedding's update; its first half is a look-up that vLLM does itself."""
        out, rows = y.view(-1, y.shape[-1]), x.view(-1, x.shape[-1])
        self._multiply(out, rows, lora_b_stacked, scale=1.0, add=add_inputs)

    def _multiply(self, y: Tensor, x: Tensor, stack: Tensor, *, scale: float, add: bool) -> None:
        """`y[rows] (+)= scale * x[rows] @ W[slot]^T` on the padded weights, as vLLM stacks them."""
        for slot, rows in self._rows():
            if add and not self._acts(stack, slot):
                continue
            weight = stack[slot].flatten(0, -2)[: y.shape[1]].to(y.dtype)
            out = scale * (x[rows].to(y.dtype) @ weight.T)
            columns = y[:, : out.shape[1]]
            columns[rows] = columns[rows] + out if add else out

    def _rows(self) -> Iterator[tuple[int, Tensor | slice]]:
        """Every slot of the batch with its rows."""
        order = self._tokens.order
        for stretch in self._tokens.stretches:
            for number in range(stretch.num_slots):
                start = stretch.start + number * stretch.rows
                rows = slice(start, start + stretch.rows)
                yield stretch.slot + number, rows if order is None else order[rows]

    def _acts(self, stack: Tensor, slot: int) -> bool:
        """Whether a slot of a stack holds anything but zeros; adapters seldom touch embeddings."""
        kept, acting = self._stacks.setdefault(id(stack), (stack, {}))
        if slot not in acting:
            acting[slot] = bool(kept[slot].any())
        return acting[slot]

    def _module(self, key: object, downs: Stacks, ups: Stacks, widths: tuple[int, ...]) -> Module:
        found = self._modules.get(id(key))
        if found is None:
            found = self._modules[id(key)] = (key, Module(downs, ups, widths))
        return found[1]


def install() -> None:
    """Make vLLM's CPU platform name our wrapper; other platforms are left as they are."""
    if current_platform.is_cpu():
        type(current_platform).get_punica_wrapper = classmethod(lambda cls: NAME)
