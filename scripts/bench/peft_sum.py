"""The sum of adapters as peft computes it in the graph: every adapter a branch of its own.

The reference of a composition. Owns nothing else; no factor is touched, a weight only multiplies
the branch's scale.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor
from transformers import PreTrainedModel


@torch.no_grad()
def branch_logits(
    base: PreTrainedModel, terms: Sequence[tuple[Path, float]], rows: Sequence[Sequence[int]]
) -> list[Tensor]:
    """Logits (T, V) per row with several adapters active at once, each times its weight.

    Args:
        base: in float32; as it was afterwards.
        terms: PEFT folders and weights; none for the base alone.
        rows: token ids.
    """
    model: Any = base
    if terms:
        names = {f"term{i}": weight for i, (_, weight) in enumerate(terms)}
        first, *rest = [str(folder) for folder, _ in terms]
        model = PeftModel.from_pretrained(base, first, adapter_name="term0")
        for i, folder in enumerate(rest, 1):
            model.load_adapter(folder, adapter_name=f"term{i}")
        model.base_model.set_adapter(list(names))
        _weigh(model, names)
    model.eval()
    try:
        return [model(input_ids=torch.tensor([list(ids)])).logits[0] for ids in rows]
    finally:
        if terms:
            model.unload()
            if hasattr(base, "peft_config"):
                del base.peft_config


def _weigh(model: Any, weights: Mapping[str, float]) -> None:
    for layer in model.modules():
        scales = getattr(layer, "scaling", None)
        if isinstance(scales, dict):
            for name in scales:
                scales[name] *= weights[name]
