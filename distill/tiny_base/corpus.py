"""Pretraining rows: texts with worked conversations behind them, packed and masked.

Owns how a row is built from teaching sources (`worlds/world.py`); which sources, and how much of
each, is the table of `mixture.py`. A row holds *trees*: one text and as many conversations as fit
behind it. Each conversation sees the text and itself only, so the model meets exactly the prompts
that it is used with. Where room is left another tree follows that sees nothing of the first. Every
assistant turn is learned.
Every row is a pure function of (seed, step, row, shares), so a resumed run sees the rows of an
unbroken one.

Shapes: `B` rows, `T` tokens.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from ..worlds.types import Message
from ..worlds.world import Teaching, TeachingSource
from .tokenizer import END, START

MASKED = -1e4
"""Added to an attention score that must not count (finite, so a padded row makes no NaN)."""

LEAST_ROOM = 64
"""Tokens that must be left in a row for another tree."""

MISSES = 2
"""Trees in a row that may fail to fit before a row counts as full."""

MAX_TRIES = 100
"""Texts in a row that may be too long for an empty row before their source is refused."""

Shares = Mapping[str, float]


@dataclass(frozen=True)
class Part:
    """One line of the mixture: a source and its share of the trees.

    Args:
        name: `world.role`, with a further word where a world has several of a role.
        warm: its share in the first steps of a model with fresh weights.
    """

    name: str
    source: TeachingSource
    share: float
    warm: float = 0.0


@dataclass(frozen=True)
class Rows:
    """One batch: ids `(B, T)`, positions `(B, T)`, additive mask `(B, 1, T, T)` in bfloat16,
    targets `(B, T)` with -100 where nothing is learned; `targets[b, t]` is the token after
    `ids[b, t]`."""

    ids_BT: Tensor
    positions_BT: Tensor
    mask_B1TT: Tensor
    targets_BT: Tensor


@dataclass
class _Row:
    """Token by token. `reads` is the branch of the text that a token may look back to."""

    ids: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    branch: list[int] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    learn: list[bool] = field(default_factory=list)

    def add(
        self, ids: Sequence[int], learn: Sequence[bool], *, at: int, branch: int, reads: int
    ) -> None:
        self.ids += ids
        self.positions += range(at, at + len(ids))
        self.branch += [branch] * len(ids)
        self.reads += [reads] * len(ids)
        self.learn += learn


@dataclass(frozen=True)
class _Talk:
    """One conversation in tokens; `ends` are the lengths at which an assistant turn is whole."""

    ids: list[int]
    learn: list[bool]
    ends: list[int]

    def cut(self, room: int) -> "_Talk | None":
        """Its first turns, up to the last answer that fits."""
        fitting = [end for end in self.ends if end <= room]
        if not fitting:
            return None
        return _Talk(self.ids[: fitting[-1]], self.learn[: fitting[-1]], fitting)


def turn(role: str, content: str) -> str:
    """One message as the chat template writes it."""
    return f"{START}{role}\n{content}{END}\n"


class Corpus:
    """Builds batches of rows of `length` tokens from the parts of a mixture."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        parts: Iterable[Part],
        *,
        length: int,
        seed: int,
    ) -> None:
        self._encoder = tokenizer.backend_tokenizer
        self._parts = {part.name: part for part in parts}
        self._length = length
        self._seed = seed

    def batch(self, step: int, num_rows: int, shares: Shares) -> Rows:
        """The rows of one optimiser step; the shares need not add up to 1.

        Raises:
            ValueError: a share of an unknown part, or a part whose texts never fit.
        """
        unknown = sorted(set(shares) - set(self._parts))
        if unknown:
            raise ValueError(
                f"the mixture names {', '.join(unknown)}, expected parts among "
                f"{', '.join(sorted(self._parts))}"
            )
        rows = [
            self._row(random.Random(f"{self._seed}:{step}:{index}"), shares)
            for index in range(num_rows)
        ]
        return _collate(rows, self._length)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._encoder.encode(text, add_special_tokens=False).ids
        return ids

    def _row(self, rng: random.Random, shares: Shares) -> _Row:
        names, weights = tuple(shares), tuple(shares.values())
        row = _Row()
        misses = 0
        while self._length - len(row.ids) >= LEAST_ROOM and misses < MISSES:
            part = self._parts[rng.choices(names, weights)[0]]
            if not row.ids:
                self._first_tree(row, part, rng)
            elif not self._add_tree(row, part, rng):
                misses += 1
        return row

    def _first_tree(self, row: _Row, part: Part, rng: random.Random) -> None:
        for _ in range(MAX_TRIES):
            if self._add_tree(row, part, rng):
                return
        raise ValueError(
            f"{MAX_TRIES} texts of {part.name} in a row did not fit a row of {self._length} "
            "tokens with one answer; use longer rows or shorter texts"
        )

    def _add_tree(self, row: _Row, part: Part, rng: random.Random) -> bool:
        """A text and what fits behind it; False where not even one conversation does."""
        teaching = part.source(rng)
        prefix = [] if teaching.text is None else self._encode(turn("system", teaching.text))
        empty = not row.ids
        text = branch = max(row.branch, default=-1) + 1
        while True:
            talk = self._talk(teaching, rng)
            room = self._length - len(row.ids) - (len(prefix) if branch == text else 0)
            if len(talk.ids) > room:
                whole = talk.cut(room) if empty and branch == text else None
                if whole is None:
                    return branch > text
                talk = whole
            if branch == text:
                row.add(prefix, [False] * len(prefix), at=0, branch=text, reads=text)
            branch += 1
            row.add(talk.ids, talk.learn, at=len(prefix), branch=branch, reads=text)

    def _talk(self, teaching: Teaching, rng: random.Random) -> _Talk:
        ids: list[int] = []
        learn: list[bool] = []
        ends: list[int] = []
        for message in teaching.draw(rng):
            for text, learned in _pieces(message):
                piece = self._encode(text)
                ids += piece
                learn += [learned] * len(piece)
            if message["role"] == "assistant":
                ends.append(len(ids))
        return _Talk(ids, learn, ends)


def _pieces(message: Message) -> tuple[tuple[str, bool], ...]:
    """A message in the parts that are learned and those that are not."""
    role, content = message["role"], message["content"]
    if role != "assistant":
        return ((turn(role, content), False),)
    return ((f"{START}{role}\n", False), (f"{content}{END}", True), ("\n", False))


def _collate(rows: Sequence[_Row], length: int) -> Rows:
    num_rows = len(rows)
    ids = torch.zeros(num_rows, length, dtype=torch.long)
    positions = torch.zeros(num_rows, length, dtype=torch.long)
    branch = torch.full((num_rows, length), -1, dtype=torch.int32)
    reads = torch.full((num_rows, length), -1, dtype=torch.int32)
    targets = torch.full((num_rows, length), -100, dtype=torch.long)
    for index, row in enumerate(rows):
        size = len(row.ids)
        row_ids = torch.tensor(row.ids)
        ids[index, :size] = row_ids
        positions[index, :size] = torch.tensor(row.positions)
        branch[index, :size] = torch.tensor(row.branch, dtype=torch.int32)
        reads[index, :size] = torch.tensor(row.reads, dtype=torch.int32)
        learn = torch.tensor(row.learn)
        targets[index, : size - 1] = torch.where(learn[1:], row_ids[1:], -100)
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    key = branch[:, None, :]
    seen = causal & ((key == branch[:, :, None]) | (key == reads[:, :, None]))
    mask = torch.full((num_rows, 1, length, length), MASKED, dtype=torch.bfloat16)
    mask.masked_fill_(seen[:, None], 0.0)
    return Rows(ids, positions, mask, targets)
