"""Does the engine compute what was trained? Log-probabilities of vLLM against PEFT.

The same token ids go through both in float32. The check is only worth something when it fails
for another adapter, so the control is part of the result.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from openai import AsyncOpenAI
from peft import PeftModel
from transformers import PreTrainedModel

from ..adapters.errors import EngineError
from ..adapters.gate.policy import GatePolicy
from .rendering import TokenRow

BAR_MAX_ABS = 1e-4
BAR_WRONG_MEAN_ABS = 0.1


@dataclass(frozen=True)
class Agreement:
    """Absolute differences of log-probabilities in nats over `tokens` answer tokens."""

    tokens: int
    max_abs: float
    mean_abs: float


@torch.no_grad()
def local_logprobs(
    base: PreTrainedModel, adapter: Path | None, rows: Sequence[TokenRow]
) -> list[list[float]]:
    """Log-probability of every answer token under the base with an adapter, by torch and peft.

    Raises:
        AdapterRefused: the adapter would not be let into an engine either.
    """
    model: Any = base
    if adapter is not None:
        GatePolicy(values="header").require(adapter, None)
        model = PeftModel.from_pretrained(base, str(adapter))
    model.eval()
    out: list[list[float]] = []
    try:
        for row in rows:
            ids = torch.tensor([row.ids], device=base.device)
            logp = model(input_ids=ids).logits[0, :-1].float().log_softmax(-1)
            told = logp.gather(-1, ids[0, 1:, None])[:, 0].tolist()
            out.append([p for p, learn in zip(told, row.learn[1:], strict=True) if learn])
    finally:
        if adapter is not None:
            model.unload()
            if hasattr(base, "peft_config"):
                del base.peft_config
    return out


async def served_logprobs(
    url: str, model: str, rows: Sequence[TokenRow], *, api_key: str = "none"
) -> list[list[float]]:
    """The same from a served model, by token ids and prompt log-probabilities.

    Raises:
        EngineError: the reply holds no prompt log-probabilities.
    """
    out: list[list[float]] = []
    async with AsyncOpenAI(base_url=url, api_key=api_key) as client:
        for row in rows:
            reply = await client.completions.create(
                model=model,
                prompt=list(row.ids),
                max_tokens=1,
                temperature=0.0,
                extra_body={"prompt_logprobs": 0},
            )
            found = (reply.choices[0].model_extra or {}).get("prompt_logprobs")
            if not found or len(found) != len(row.ids):
                raise EngineError(
                    f"{url} gave {0 if not found else len(found)} prompt log-probabilities for "
                    f"{len(row.ids)} tokens of {model!r}; the engine must be vLLM"
                )
            told = [
                entry[str(i)]["logprob"] for entry, i in zip(found[1:], row.ids[1:], strict=True)
            ]
            out.append([p for p, learn in zip(told, row.learn[1:], strict=True) if learn])
    return out


def differences(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> Agreement:
    """Compare token by token.

    Raises:
        ValueError: the two sides hold different numbers of tokens, or none.
        EngineError: a log-probability is not a finite number; `max` would pass over it.
    """
    pairs = [
        (a, b) for xs, ys in zip(ours, theirs, strict=True) for a, b in zip(xs, ys, strict=True)
    ]
    if not pairs:
        raise ValueError("got 0 answer tokens to compare, expected at least one")
    gaps = [abs(a - b) for a, b in pairs]
    if not all(map(math.isfinite, gaps)):
        odd = next((a, b) for a, b in pairs if not math.isfinite(abs(a - b)))
        raise EngineError(f"log-probabilities {odd} cannot be compared, expected finite numbers")
    return Agreement(len(gaps), max(gaps), sum(gaps) / len(gaps))
