"""The gates of the tiny base: what it must do on skills that it never saw.

With the skill text in the system message: at least 0.85 for one and for two steps, 0.75 for
three; without the text at most 0.10. Items are drawn from an evaluation seed, one held-out skill
and one request each, so an interval over items is an interval over skills.
"""

import random
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..worlds.string_skills import requests, texts
from ..worlds.string_skills.answers import score
from ..worlds.string_skills.held_out import held_out_spec

BARS = {"text_1": 0.85, "text_2": 0.85, "text_3": 0.75}
NO_TEXT_BAR = 0.10


@dataclass(frozen=True)
class GateItem:
    """One held-out skill with one request."""

    body: str
    request: str
    expected: str


def gate_items(num_steps: int, num_items: int, *, seed: int) -> list[GateItem]:
    """Items of `num_steps` steps for one evaluation seed."""
    rng = random.Random(f"gate:{seed}:{num_steps}")
    out = []
    for _ in range(num_items):
        spec = held_out_spec(rng, num_steps)
        items = requests.random_items(spec, rng)
        body = texts.skill_body(spec, rng)
        out.append(GateItem(body, requests.request_text(spec, items, rng), spec.final(items)))
    return out


@torch.no_grad()
def greedy_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    conversations: list[list[dict[str, str]]],
    *,
    batch: int = 100,
    max_new_tokens: int = 100,
) -> list[str]:
    """Greedy answers of a local model, left-padded in batches."""
    tokenizer.padding_side = "left"
    prompts = [
        str(tokenizer.apply_chat_template(c, tokenize=False, add_generation_prompt=True))
        for c in conversations
    ]
    answers: list[str] = []
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    by_index: dict[int, str] = {}
    for start in range(0, len(order), batch):
        chunk = order[start : start + batch]
        inputs = tokenizer(
            [prompts[i] for i in chunk],
            return_tensors="pt",
            padding=True,
            add_special_tokens=False,
            return_token_type_ids=False,
        )
        generate: Any = model.generate
        out: Tensor = generate(
            **inputs, max_new_tokens=max_new_tokens, do_sample=False, use_cache=True
        )
        tail = out[:, inputs["input_ids"].shape[1] :]
        for index, text in zip(
            chunk, tokenizer.batch_decode(tail, skip_special_tokens=True), strict=True
        ):
            by_index[index] = text
    answers = [by_index[index] for index in range(len(prompts))]
    return answers


def measure_gates(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    seed: int,
    num_items: int,
) -> dict[str, float]:
    """Accuracy with the text for 1, 2 and 3 steps, and without it over all three."""
    out: dict[str, float] = {}
    bare_right = 0
    for num_steps in (1, 2, 3):
        items = gate_items(num_steps, num_items, seed=seed)
        told = [
            [{"role": "system", "content": i.body}, {"role": "user", "content": i.request}]
            for i in items
        ]
        bare = [[{"role": "user", "content": i.request}] for i in items]
        for name, conversations in (("text", told), ("bare", bare)):
            answers = greedy_answers(model, tokenizer, conversations)
            right = sum(score(a, i.expected).passed for a, i in zip(answers, items, strict=True))
            if name == "text":
                out[f"text_{num_steps}"] = right / num_items
            else:
                bare_right += right
    out["no_text"] = bare_right / (3 * num_items)
    return out
