"""SEC: a bandit that goes where the student learns most, by its own advantages. Pure.

    r_t(c)     = mean |A| over the answers to tasks of category c at step t
    Q_{t+1}(c) = alpha r_t(c) + (1 - alpha) Q_t(c), for the categories seen; Q_0 = 0     (TD(0))
    P_t(c)     = (1 - floor) softmax(Q_t / temperature)(c) + floor / C

Why it finds what can be learned: with rewards 0 and 1 and success p, E|A| = 2p(1-p), divided by
the spread 2 sqrt(p(1-p)); both are largest at p = 1/2. So a group of equal rewards counts as 0 and
must be counted: r_t is computed from raw rewards here, never from a trainer's advantages, which may
be without such groups or normalised over a batch.

Source: SEC, arXiv:2505.14970. Departs: alpha and temperature were not found; ours are 0.3 and 0.25.
The floor is ours, so that no category starves. The spread is taken over G and without an epsilon
(the learner's, in `learning/advantages.py`, over G - 1 with one), so that E|A| above holds exactly.
Owns the bandit. Refuses to own what a category is and which of its tasks is asked.
"""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from .curriculum import Categories, CurriculumValue, GroupSeen, draw_categories, known_categories


class SecBandit(CurriculumValue):
    """The bandit as a value; `observe` after the optimiser's step, `next` before the rollouts."""

    type: Literal["sec"] = "sec"
    categories: Categories
    alpha: float = Field(0.3, gt=0, le=1)
    """Rate of TD(0)."""
    temperature: float = Field(0.25, gt=0)
    floor: float = Field(0.05, ge=0, le=1)
    """Share of the draws that is spread evenly over all categories."""
    by_std: bool = True
    """Advantages as GRPO normalises them; False as Dr.GRPO leaves them."""
    values: Mapping[str, float] = {}
    """Q by category; one that was never seen is missing and counts as 0."""
    moving: ClassVar[frozenset[str]] = frozenset({"values"})

    @model_validator(mode="after")
    def _values_are_of_categories(self) -> Self:
        if odd := sorted(self.values.keys() - set(self.categories)):
            raise ValueError(f"values of {odd}: expected some of categories {self.categories}")
        return self

    def observe(self, step: int, seen: Sequence[GroupSeen]) -> "SecBandit":
        """One TD(0) step for each category seen.

        Raises:
            UsageError: a category that the bandit does not have.
        """
        answers: dict[str, list[float]] = {}
        for group in seen:
            gains = absolute_advantages(group.rewards, by_std=self.by_std)
            answers.setdefault(group.category, []).extend(gains)
        known_categories(answers, self.categories)
        moved = {
            name: self.alpha * math.fsum(gains) / len(gains)
            + (1 - self.alpha) * self.values.get(name, 0.0)
            for name, gains in answers.items()
        }
        return self.model_copy(update={"values": {**self.values, **moved}})

    def weights(self, step: int) -> dict[str, float]:
        """P_t; it does not depend on the step but through what was seen."""
        scaled = [self.values.get(name, 0.0) / self.temperature for name in self.categories]
        powers = [math.exp(one - max(scaled)) for one in scaled]
        total, even = math.fsum(powers), self.floor / len(powers)
        return {
            name: (1 - self.floor) * power / total + even
            for name, power in zip(self.categories, powers, strict=True)
        }

    def next(self, step: int, *, rng: np.random.Generator, num: int) -> tuple[str, ...]:
        """A category for each slot of the batch, each slot drawn on its own."""
        return draw_categories(self.weights(step), num, rng=rng)


def absolute_advantages(rewards: Sequence[float], *, by_std: bool = True) -> list[float]:
    """|r - mean| of each answer of a group, divided by the spread over G; 0s where all are equal.

    Args:
        by_std: False leaves the spread as it is.
    """
    if len(set(rewards)) < 2:
        return [0.0] * len(rewards)
    mean = math.fsum(rewards) / len(rewards)
    centred = [reward - mean for reward in rewards]
    spread = math.sqrt(math.fsum(one * one for one in centred) / len(rewards)) if by_std else 1.0
    return [abs(one) / spread for one in centred]


def shuffled(seen: Sequence[GroupSeen], *, rng: np.random.Generator) -> tuple[GroupSeen, ...]:
    """Control: the same groups, each under the category of another slot of the batch.

    A permutation of all slots, drawn evenly: how often each category is seen stays as it was.
    """
    order = rng.permutation(len(seen))
    return tuple(
        GroupSeen(group.category, seen[place].rewards)
        for group, place in zip(seen, order, strict=True)
    )
