"""Pretraining rows for the tiny base: skill texts with worked answers, packed and masked.

Owns how one row is built. A row is one skill text with as many requests as fit behind it. In a
*tree* row each request sees the text and itself only, so the model meets exactly the single-turn
prompts it is used with; in a *chain* row the requests are turns of one conversation. Every row is
a pure function of (seed, step, row), so a resumed run sees the rows of an unbroken one. Held-out
skills never appear.

Shapes: `B` rows, `T` tokens.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from ..worlds.string_skills import requests, texts
from ..worlds.string_skills.answers import worked_answer
from ..worlds.string_skills.spec import SkillSpec
from ..worlds.string_skills.split import is_held_out
from .tokenizer import END, START

MASKED = -1e4
"""Added to an attention score that must not count (finite, so a padded row makes no NaN)."""


@dataclass(frozen=True)
class Mixture:
    """Shares of what a row holds: by number of steps, plain tasks, and chain rows."""

    steps: tuple[float, float, float] = (0.25, 0.35, 0.40)
    plain: float = 0.08
    chain: float = 0.15


WARM_MIXTURE = Mixture(steps=(0.7, 0.2, 0.1))


@dataclass(frozen=True)
class Rows:
    """One batch: ids `(B, T)`, positions `(B, T)`, additive mask `(B, 1, T, T)`, targets `(B, T)`
    with -100 where nothing is learned; `targets[b, t]` is the token after `ids[b, t]`."""

    ids_BT: Tensor
    positions_BT: Tensor
    mask_B1TT: Tensor
    targets_BT: Tensor


@dataclass
class _Row:
    ids: list[int]
    positions: list[int]
    branch: list[int]
    learn: list[bool]


def pretraining_spec(rng: random.Random, num_steps: int) -> SkillSpec:
    """Draw a skill that the base may see."""
    while True:
        spec = texts.random_spec(rng, num_steps)
        if not is_held_out(spec):
            return spec


def _turn(role: str, content: str) -> str:
    return f"{START}{role}\n{content}{END}\n"


class Corpus:
    """Builds batches of rows of `length` tokens."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, length: int, seed: int) -> None:
        self._tokenizer = tokenizer
        self._length = length
        self._seed = seed

    def batch(self, step: int, num_rows: int, mixture: Mixture) -> Rows:
        """The rows of one optimiser step."""
        rows = [
            self._row(random.Random(f"{self._seed}:{step}:{index}"), mixture)
            for index in range(num_rows)
        ]
        return _collate(rows, self._length)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return ids

    def _row(self, rng: random.Random, mixture: Mixture) -> _Row:
        plain = rng.random() < mixture.plain
        num_steps = 1 if plain else rng.choices((1, 2, 3), mixture.steps)[0]
        spec = pretraining_spec(rng, num_steps)
        prefix = [] if plain else self._encode(_turn("system", texts.skill_body(spec, rng)))
        chain = not plain and rng.random() < mixture.chain
        row = _Row(prefix[:], list(range(len(prefix))), [0] * len(prefix), [False] * len(prefix))
        branch = 0
        while True:
            if plain:
                spec = SkillSpec(pretraining_spec(rng, 1).operations, "plain", spec.topic)
            prompt, answer = self._exchange(spec, rng, plain=plain)
            if len(row.ids) + len(prompt) + len(answer) > self._length:
                return row
            branch += 0 if chain else 1
            start = len(row.ids) if chain else len(prefix)
            ids = prompt + answer
            row.ids += ids
            row.positions += range(start, start + len(ids))
            row.branch += [branch] * len(ids)
            row.learn += [False] * len(prompt) + [True] * (len(answer) - 1) + [False]

    def _exchange(
        self, spec: SkillSpec, rng: random.Random, *, plain: bool
    ) -> tuple[list[int], list[int]]:
        items = requests.random_items(spec, rng)
        if plain:
            request = texts.plain_request(spec.operations[0], items, rng)
        else:
            request = requests.request_text(spec, items, rng)
        prompt = _turn("user", request) + f"{START}assistant\n"
        answer = f"{worked_answer(spec, items)}{END}\n"
        return self._encode(prompt), self._encode(answer)


def _collate(rows: Sequence[_Row], length: int) -> Rows:
    num_rows = len(rows)
    ids = torch.zeros(num_rows, length, dtype=torch.long)
    positions = torch.zeros(num_rows, length, dtype=torch.long)
    branch = torch.full((num_rows, length), -1, dtype=torch.long)
    targets = torch.full((num_rows, length), -100, dtype=torch.long)
    for index, row in enumerate(rows):
        size = len(row.ids)
        row_ids = torch.tensor(row.ids)
        ids[index, :size] = row_ids
        positions[index, :size] = torch.tensor(row.positions)
        branch[index, :size] = torch.tensor(row.branch)
        learn = torch.tensor(row.learn)
        targets[index, : size - 1] = torch.where(learn[1:], row_ids[1:], -100)
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    same = branch[:, :, None] == branch[:, None, :]
    seen = causal & (same | (branch[:, None, :] == 0))
    mask = torch.zeros(num_rows, 1, length, length).masked_fill(~seen[:, None], MASKED)
    return Rows(ids, positions, mask, targets)
