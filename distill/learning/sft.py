"""Supervised fine-tuning of one LoRA adapter on a frozen base.

Owns the training step and its settings; `peft` makes and saves the adapter. Knows nothing of
skills, teachers or worlds: rows of ids and masks come in, a PEFT folder goes out. Shapes: `B`
rows, `T` tokens.
"""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.utils.logging import disable_progress_bar

from ...adapters.errors import UsageError
from ..rendering import TokenRow
from .fit import Execution, Fit
from .packing import collate, token_loss
from .settings import ALL_LINEAR, TINY_RATE, USUAL_RATE, SftSettings

__all__ = [
    "ALL_LINEAR",
    "TINY_RATE",
    "USUAL_RATE",
    "Execution",
    "SftResult",
    "SftSettings",
    "collate",
    "load_base",
    "token_loss",
    "train_lora",
]


@dataclass(frozen=True)
class SftResult:
    """What training cost and reached; losses in nats per assistant token."""

    num_rows: int
    num_steps: int
    train_loss: float
    dev_loss: float | None
    best_epoch: int
    train_s: float


def load_base(
    base: Path,
    *,
    dtype: torch.dtype = torch.float32,
    device_map: Literal["auto"] | Mapping[str, str] | None = None,
) -> PreTrainedModel:
    """The frozen base from a folder, on the CPU or the first GPU.

    Args:
        dtype: bfloat16 halves the memory of a large base on a GPU; adapters stay in float32.
        device_map: spreads a base that one device cannot hold, by accelerate: "auto", or module
            name -> device.
    """
    disable_progress_bar()  # type: ignore[no-untyped-call]  # it ignores what a terminal is
    if device_map is not None:
        spread: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            base, dtype=dtype, device_map=device_map
        )
        return spread
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    return model.to("cuda") if torch.cuda.is_available() else model  # type: ignore[arg-type]


def train_lora(
    base: PreTrainedModel,
    rows: Sequence[TokenRow],
    *,
    settings: SftSettings,
    seed: int,
    out: Path,
    base_name: str,
    pad: int,
    on_step: Callable[[int, int, float], None] | None = None,
    execution: Execution | None = None,
) -> SftResult:
    """Train one adapter and save it as a PEFT folder in `out`.

    The base is left as it was found. Rows are shuffled and split by `seed`; the same inputs give
    the same adapter on the same machine with one thread.

    Args:
        rows: at least two.
        base_name: what `adapter_config.json` names as the base (a name, no local path).
        on_step: called with (step, steps at most, loss of the step).
        execution: accumulation, packing and checkpoints; none of them by default.

    Raises:
        UsageError: fewer than two rows, or a checkpoint of another run.
    """
    if len(rows) < 2:
        raise UsageError(
            f"got {len(rows)} training rows, expected at least 2; ask for more requests"
        )
    rng = random.Random(seed)
    order = list(rows)
    rng.shuffle(order)
    num_dev = int(len(order) * settings.dev_share)
    dev, train = order[:num_dev], order[num_dev:]
    torch.manual_seed(seed)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]
        target_modules=list(settings.targets),
        lora_dropout=0.0,
        bias="none",
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(base, config)
    try:
        loop = Fit(
            model, train, dev, settings=settings, execution=execution or Execution(), rng=rng,
            pad=pad,
        )  # fmt: skip
        started = time.perf_counter()
        fitted = loop.run(on_step)
        train_s = time.perf_counter() - started
        model.peft_config["default"].base_model_name_or_path = base_name
        model.save_pretrained(str(out), save_embedding_layers=False)  # "auto" asks the hub
        _sort_targets(out / "adapter_config.json")
    finally:
        model.unload()
        if hasattr(base, "peft_config"):
            del base.peft_config
    return SftResult(
        num_rows=len(train),
        num_steps=fitted.num_steps,
        train_loss=fitted.train_loss,
        dev_loss=fitted.dev_loss,
        best_epoch=fitted.best_epoch,
        train_s=train_s,
    )


def _sort_targets(config: Path) -> None:
    """PEFT writes its set of targets in no fixed order; sorted, equal runs give equal bytes."""
    document = json.loads(config.read_text(encoding="utf-8"))
    document["target_modules"] = sorted(document["target_modules"])
    config.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
