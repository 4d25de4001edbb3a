"""Wrong drafts of other tasks, shown while a policy learns. Pure.

Every task has drafts that a weaker model drew; one nontrivially wrong one is kept for each, and a
*derangement* deals them out, so that nobody sees a draft of its own task. The draft stands in the
request, with a notice that it may be wrong: it is prompt, and never learned. A test shows the same
request with `NO_DRAFT` in its place; another template at a test makes it invalid, so the template
belongs on the adapter's card.

Source: arXiv:2605.17314 and its authors' README: 32 drafts a problem at temperature 0.8 and top-p
0.95, a derangement, "N/A" at the test, and the 2x2 of {matched, mismatched} and {wrong, correct}.
The wording is ours. What counts as nontrivially wrong was not found; ours is `DraftFilter`. The arm
of random tokens is ours too.
Owns which draft stands before which task, and how it is written. Refuses to own drawing drafts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ...adapters.errors import UsageError
from ..worlds.types import Message

Cell = Literal["none", "matched-wrong", "mismatched-wrong", "matched-correct", "mismatched-correct"]
NO_DRAFT = "N/A"
TEMPLATE = (
    "{request}\n\nThinking: {draft}\n\nThe thinking above may be wrong. Give a correct solution of "
    "your own."
)
"""`{request}` and `{draft}` stand once each."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a weaker model answered to a task."""

    task_id: str
    text: str
    passed: bool
    readable: bool = True
    """Whether the world could read an answer out of it."""


class DraftFilter(BaseModel):
    """What a draft must be to teach anything: readable, and of the length of a true answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    distance: float = Field(0.2, ge=0, le=1)
    """A wrong draft differs from the truth by more than this share of the words."""
    shortest: float = Field(0.5, ge=0)
    longest: float = Field(2.0, ge=0)
    """Bounds of its length, in lengths of the true answer."""

    def takes(self, draft: Draft, truth: str, *, wrong: bool) -> bool:
        """Whether a draft is a nontrivially wrong one, or (`wrong=False`) a correct one."""
        words, true = draft.text.split(), truth.split()
        fits = self.shortest * len(true) <= len(words) <= self.longest * len(true)
        if not draft.readable or not words or not fits or draft.passed == wrong:
            return False
        return not wrong or edit_share(words, true) > self.distance


def deal(
    drafts: Mapping[str, Sequence[Draft]],
    truths: Mapping[str, str],
    *,
    cell: Cell,
    rng: np.random.Generator,
    rule: DraftFilter | None = None,
) -> dict[str, str]:
    """Which draft's text each task is shown.

    Args:
        drafts: by task; a task without a fitting one is neither shown a draft nor gives one, and is
            missing in what comes back. Arms are only alike on tasks that all of them have.
        truths: the reference answer of each task, in full.

    Raises:
        UsageError: fewer than two tasks are left for a mismatch.
    """
    if cell == "none":
        return dict.fromkeys(drafts, NO_DRAFT)
    rule = rule or DraftFilter()
    kept: dict[str, str] = {}
    for task_id in sorted(drafts):
        wrong = cell.endswith("wrong")
        fitting = [d for d in drafts[task_id] if rule.takes(d, truths[task_id], wrong=wrong)]
        if fitting:
            kept[task_id] = fitting[int(rng.integers(len(fitting)))].text
    if cell.startswith("matched"):
        return kept
    names = list(kept)
    order = derange(len(names), rng=rng)
    return {name: kept[names[at]] for name, at in zip(names, order, strict=True)}


def derange(num: int, *, rng: np.random.Generator) -> tuple[int, ...]:
    """A permutation without a fixed point, each one equally likely.

    Raises:
        UsageError: of one thing there is none, and of nothing none is needed.
    """
    if num < 2:
        raise UsageError(f"{num} drafts to be dealt to other tasks: expected at least 2")
    while True:
        order = rng.permutation(num)
        if (order != np.arange(num)).all():
            return tuple(int(place) for place in order)


def random_draft(text: str, words: Sequence[str], *, rng: np.random.Generator) -> str:
    """Control: as many words as `text` has, each drawn evenly from `words`."""
    return " ".join(words[int(rng.integers(len(words)))] for _ in text.split())


def with_draft(
    messages: Sequence[Message], draft: str = NO_DRAFT, *, template: str = TEMPLATE
) -> tuple[Message, ...]:
    """A task's messages with the draft in the last request.

    Raises:
        UsageError: the last message is not a user's, or the template lacks a place.
    """
    if not messages or messages[-1].get("role") != "user":
        raise UsageError("a draft stands in a request: expected messages that end with a user's")
    if any(template.count(place) != 1 for place in ("{request}", "{draft}")):
        raise UsageError(f"a template {template!r}: expected {{request}} and {{draft}} once each")
    before, rest = template.split("{request}")
    parts = [part.replace("{draft}", draft) for part in (before, rest)]
    return (*messages[:-1], {**messages[-1], "content": messages[-1]["content"].join(parts)})


def edit_share(a: Sequence[str], b: Sequence[str]) -> float:
    """Edit distance (insert, delete, replace) over the longer length: 0 equal, 1 nothing kept."""
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            here = min(row[j] + 1, row[j - 1] + 1, above + (one != other))
            above, row[j] = row[j], here
    return row[-1] / max(len(a), len(b), 1)
