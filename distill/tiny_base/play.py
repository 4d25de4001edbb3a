"""Asks a local model greedily: answers to prompts, and episodes played side by side.

Owns batches for gates; rollouts with log-probabilities and a policy behind a server are
`distill/rollouts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..worlds.types import Message, Task, Verdict

MAX_ANSWER = 130
"""Tokens of an answer or an authored body."""
MAX_ACTION = 24
"""Tokens of one action of an episode."""


@dataclass(frozen=True)
class Episode:
    """A task to be played under a system message, or under none."""

    system: str | None
    task: Task

    @property
    def opening(self) -> list[Message]:
        """What the policy is shown before its first decision."""
        told = [] if self.system is None else [{"role": "system", "content": self.system}]
        return [*told, *self.task.messages]


@torch.no_grad()
def greedy_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    conversations: Sequence[Sequence[Message]],
    *,
    batch: int = 100,
    max_new_tokens: int = MAX_ANSWER,
) -> list[str]:
    """Greedy answers of a local model, left-padded in batches of similar length."""
    tokenizer.padding_side = "left"
    prompts = [
        str(
            tokenizer.apply_chat_template(
                [dict(m) for m in conversation], tokenize=False, add_generation_prompt=True
            )
        )
        for conversation in conversations
    ]
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
    return [by_index[index] for index in range(len(prompts))]


def play_greedily(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    episodes: Sequence[Episode],
    *,
    max_turns: int = 1,
    max_new_tokens: int = MAX_ANSWER,
) -> list[Verdict]:
    """Play every episode to its end, all of them a turn at a time.

    Args:
        max_turns: decisions after which an episode is left as it stands.
        max_new_tokens: of one decision.
    """
    environments = [episode.task.environment() for episode in episodes]
    for environment in environments:
        environment.reset(0)
    talks = [episode.opening for episode in episodes]
    alive = list(range(len(episodes)))
    for _ in range(max_turns):
        actions = greedy_answers(
            model,
            tokenizer,
            [talks[index] for index in alive],
            max_new_tokens=max_new_tokens,
        )
        going = []
        for index, action in zip(alive, actions, strict=True):
            step = environments[index].step(action)
            talks[index] += [{"role": "assistant", "content": action}, *step.observation.messages]
            if not (step.terminated or step.truncated):
                going.append(index)
        alive = going
        if not alive:
            break
    return [environment.verdict() for environment in environments]
