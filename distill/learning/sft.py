"""Supervised fine-tuning of one LoRA adapter on a frozen base.

Owns the training step and its settings; `peft` makes and saves the adapter. Knows nothing of
skills, teachers or worlds: rows of ids and masks come in, a PEFT folder goes out. Shapes: `B`
rows, `T` tokens.
"""

import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.utils.logging import disable_progress_bar

from ...adapters.errors import UsageError
from ..rendering import TokenRow
from .schedule import rate_factor
from .settings import ALL_LINEAR, TINY_RATE, USUAL_RATE, SftSettings

__all__ = [
    "ALL_LINEAR",
    "TINY_RATE",
    "USUAL_RATE",
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


def load_base(base: Path, *, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """The frozen base from a folder, on the CPU or the first GPU."""
    disable_progress_bar()  # type: ignore[no-untyped-call]  # it ignores what a terminal is
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    return model.to("cuda") if torch.cuda.is_available() else model  # type: ignore[arg-type]


def collate(rows: Sequence[TokenRow], *, pad: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pad rows on the right: ids, attention and labels (-100 where not learned), all (B, T)."""
    length = max(len(row.ids) for row in rows)
    ids_BT = torch.full((len(rows), length), pad, dtype=torch.long)
    attention_BT = torch.zeros(len(rows), length, dtype=torch.long)
    labels_BT = torch.full((len(rows), length), -100, dtype=torch.long)
    for index, row in enumerate(rows):
        size = len(row.ids)
        ids = torch.tensor(row.ids)
        ids_BT[index, :size] = ids
        attention_BT[index, :size] = 1
        labels_BT[index, :size] = torch.where(torch.tensor(row.learn), ids, -100)
    return ids_BT, attention_BT, labels_BT


def token_loss(model: nn.Module, rows: Sequence[TokenRow], *, pad: int) -> tuple[Tensor, int]:
    """Summed negative log-likelihood of the learned tokens, and how many they are."""
    device = next(model.parameters()).device
    ids_BT, attention_BT, labels_BT = (t.to(device) for t in collate(rows, pad=pad))
    logits = model(input_ids=ids_BT, attention_mask=attention_BT).logits[:, :-1]
    targets = labels_BT[:, 1:]
    learned = targets != -100
    loss = nn.functional.cross_entropy(logits[learned].float(), targets[learned], reduction="sum")
    return loss, int(learned.sum())


def _batches(num_rows: int, size: int, rng: random.Random) -> Iterator[list[int]]:
    order = list(range(num_rows))
    rng.shuffle(order)
    for start in range(0, num_rows, size):
        yield order[start : start + size]


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
) -> SftResult:
    """Train one adapter and save it as a PEFT folder in `out`.

    The base is left as it was found. Rows are shuffled and split by `seed`; the same inputs give
    the same adapter on the same machine with one thread.

    Args:
        rows: at least two.
        base_name: what `adapter_config.json` names as the base (a name, no local path).
        on_step: called with (step, steps at most, loss of the step).

    Raises:
        UsageError: fewer than two rows.
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
        result = _fit(model, train, dev, settings, rng, pad, on_step)
        model.peft_config["default"].base_model_name_or_path = base_name
        model.save_pretrained(str(out), save_embedding_layers=False)  # "auto" asks the hub
        _sort_targets(out / "adapter_config.json")
    finally:
        model.unload()
        if hasattr(base, "peft_config"):
            del base.peft_config
    return result


def _sort_targets(config: Path) -> None:
    """PEFT writes its set of targets in no fixed order; sorted, equal runs give equal bytes."""
    document = json.loads(config.read_text(encoding="utf-8"))
    document["target_modules"] = sorted(document["target_modules"])
    config.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _fit(
    model: PeftModel,
    train: Sequence[TokenRow],
    dev: Sequence[TokenRow],
    settings: SftSettings,
    rng: random.Random,
    pad: int,
    on_step: Callable[[int, int, float], None] | None,
) -> SftResult:
    started = time.perf_counter()
    rate = settings.rate or USUAL_RATE
    params = {name: p for name, p in model.named_parameters() if p.requires_grad}
    optimiser = torch.optim.AdamW(params.values(), lr=rate, weight_decay=0.0)
    total = settings.epochs * math.ceil(len(train) / settings.batch_rows)
    best: tuple[float, int, dict[str, Tensor]] | None = None
    step, last = 0, 0.0
    model.train()
    for epoch in range(1, settings.epochs + 1):
        for chosen in _batches(len(train), settings.batch_rows, rng):
            for group in optimiser.param_groups:
                group["lr"] = rate * rate_factor(step, total)
            loss, count = token_loss(model, [train[i] for i in chosen], pad=pad)
            (loss / count).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(params.values(), settings.clip)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            step, last = step + 1, float(loss.detach()) / count
            if on_step:
                on_step(step, total, last)
        if not dev:
            continue
        seen = _mean_loss(model, dev, settings.batch_rows, pad)
        if best is None or seen < best[0]:
            best = (seen, epoch, {name: p.detach().clone() for name, p in params.items()})
        else:
            break
    if best is not None:
        with torch.no_grad():
            for name, p in params.items():
                p.copy_(best[2][name])
    return SftResult(
        num_rows=len(train),
        num_steps=step,
        train_loss=last,
        dev_loss=best[0] if best else None,
        best_epoch=best[1] if best else settings.epochs,
        train_s=time.perf_counter() - started,
    )


@torch.no_grad()
def _mean_loss(model: nn.Module, rows: Sequence[TokenRow], size: int, pad: int) -> float:
    model.eval()
    pairs = [
        token_loss(model, rows[start : start + size], pad=pad)
        for start in range(0, len(rows), size)
    ]
    model.train()
    return float(sum(loss for loss, _ in pairs)) / sum(count for _, count in pairs)
