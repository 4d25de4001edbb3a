"""A ladder of levels: up when the student passes, down when it cannot follow. Pure.

The last `window` answers on the current level decide, once they are that many:

    share of passes >= up    one level up, the window is emptied
    share of passes <  down  one level down, the window is emptied

Hysteresis: `down` lies below `up`, and an emptied window keeps every level for at least `window`
answers, so that noise near one bound does not make the level swing. A step moves one level at most.
A share `rehearsal` of the draws goes evenly to the levels below, so that they are not forgotten;
answers there are not counted.

No source: the rule and its numbers are ours. Window and bounds: of 64 answers a share has a
standard error of at most 0.063, an eighth of the way between the bounds.
Owns the climbing. Refuses to own what a level is; levels whose order is fixed in time are in
`orders.py`.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from .curriculum import Categories, CurriculumValue, GroupSeen, draw_categories, known_categories


class Ladder(CurriculumValue):
    """The ladder as a value; `categories` from the easiest level to the hardest."""

    type: Literal["ladder"] = "ladder"
    categories: Categories
    up: float = Field(0.8, gt=0, le=1)
    down: float = Field(0.3, ge=0, lt=1)
    window: int = Field(64, ge=1)
    """So many answers decide."""
    rehearsal: float = Field(0.2, ge=0, lt=1)
    """Share of the draws that goes to the levels below."""
    pass_from: float = 1.0
    """A reward from here on is a pass."""
    level: int = Field(0, ge=0)
    """Place of the current level among the categories."""
    recent: tuple[bool, ...] = ()
    """Passes on the current level since it was reached, the latest `window`, the oldest first."""
    moving: ClassVar[frozenset[str]] = frozenset({"level", "recent"})

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.down >= self.up:
            raise ValueError(f"down is {self.down} and up is {self.up}: expected down below up")
        if self.level >= len(self.categories) or len(self.recent) > self.window:
            raise ValueError(
                f"level {self.level} with {len(self.recent)} answers: expected a level below "
                f"{len(self.categories)} and at most {self.window} answers"
            )
        return self

    @property
    def current(self) -> str:
        """The level that is climbed now."""
        return self.categories[self.level]

    def observe(self, step: int, seen: Sequence[GroupSeen]) -> "Ladder":
        """One step later; only answers on the current level count.

        Raises:
            UsageError: a category that the ladder does not have.
        """
        known_categories((group.category for group in seen), self.categories)
        fresh = [
            reward >= self.pass_from
            for group in seen
            if group.category == self.current
            for reward in group.rewards
        ]
        recent = (*self.recent, *fresh)[-self.window :]
        move = self._move(recent)
        level = self.level + move
        return self.model_copy(update={"level": level, "recent": () if move else recent})

    def weights(self, step: int) -> dict[str, float]:
        """The current level, and evenly the ones below."""
        below = self.rehearsal / self.level if self.level else 0.0
        shares = dict.fromkeys(self.categories, 0.0)
        shares |= dict.fromkeys(self.categories[: self.level], below)
        return shares | {self.current: 1 - self.rehearsal if self.level else 1.0}

    def next(self, step: int, *, rng: np.random.Generator, num: int) -> tuple[str, ...]:
        return draw_categories(self.weights(step), num, rng=rng)

    def _move(self, recent: Sequence[bool]) -> int:
        if len(recent) < self.window:
            return 0
        share = sum(recent) / len(recent)
        if share >= self.up and self.level + 1 < len(self.categories):
            return 1
        return -1 if share < self.down and self.level else 0
