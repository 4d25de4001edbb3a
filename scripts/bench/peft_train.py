"""PEFT's side of `bench train`: one adapter on one base, trained as PEFT's users do.

Owns the cheapest honest form of that step: no cache of keys and values, PyTorch's fused optimiser,
logits cast only where a token is learned. Refuses to own our side and the figures.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import PreTrainedModel

from ...adapters.delta import AdapterDelta
from ...distill.learning.joint import AdapterSpec
from ...distill.learning.sft import collate, load_base
from ...distill.rendering import TokenRow
from ...distill.tiny_base import tiny_base_path


class PeftRun:
    """One PEFT run: its own base, its own optimiser.

    Args:
        start: first weights, so that both sides begin alike.
        prepare: changes the base before the adapter is put on.
    """

    def __init__(
        self,
        spec: AdapterSpec,
        start: AdapterDelta,
        *,
        dtype: torch.dtype = torch.float32,
        prepare: Callable[[PreTrainedModel], None] | None = None,
    ) -> None:
        base = load_base(tiny_base_path(), dtype=dtype)
        if prepare is not None:
            prepare(base)
        config = LoraConfig(
            r=spec.rank,
            lora_alpha=spec.alpha,  # type: ignore[arg-type]
            target_modules=list(spec.targets),
            task_type="CAUSAL_LM",
        )
        self.model: Any = get_peft_model(base, config)
        modules = dict(self.model.get_base_model().named_modules())
        with torch.no_grad():
            for name, delta in start.items():
                layer: Any = modules[name]
                layer.lora_A["default"].weight.copy_(delta.down_RI)
                layer.lora_B["default"].weight.copy_(delta.up_OR)
        self.params = [p for p in self.model.parameters() if p.requires_grad]
        self._spec = spec
        self._optimiser = torch.optim.AdamW(self.params, lr=spec.rate, weight_decay=0.0, fused=True)

    def step(self, rows: Sequence[TokenRow]) -> float:
        """One optimiser step; returns the loss before it."""
        ids_BT, attention_BT, labels_BT = collate(rows, pad=0)
        logits = self.model(input_ids=ids_BT, attention_mask=attention_BT, use_cache=False).logits
        targets = labels_BT[:, 1:]
        learned = targets != -100
        picked = logits[:, :-1][learned]
        loss = nn.functional.cross_entropy(
            picked if picked.dtype == torch.float64 else picked.float(), targets[learned]
        )
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.params, self._spec.clip)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        return float(loss.detach())
