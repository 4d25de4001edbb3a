"""Control arms of a sampler of tasks: levels in a fixed order, and the level nearest to one half.
Pure.

Owns what a learning curriculum is compared with besides `uniform.py`. Refuses to learn anything
from the run itself: `NearHalf` is told pass rates that a probe measured for it, so it is an oracle
that spends rollouts of its own.
"""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from .curriculum import Categories, CurriculumValue, GroupSeen, known_categories
from .schedules import phase_of


class Staged(CurriculumValue):
    """Equal stages, one category each: at step t the category number floor(t C / num_steps).

    Easy to hard where the categories stand so, hard to easy with `backward`. Steps from
    `num_steps` on stay at the last.
    """

    type: Literal["staged"] = "staged"
    categories: Categories
    num_steps: int = Field(ge=1)
    backward: bool = False

    def observe(self, step: int, seen: Sequence[GroupSeen]) -> "Staged":
        return self

    def weights(self, step: int) -> dict[str, float]:
        order = self.categories[::-1] if self.backward else self.categories
        chosen = order[phase_of(step, num_steps=self.num_steps, num_phases=len(order))]
        return dict.fromkeys(self.categories, 0.0) | {chosen: 1.0}

    def next(self, step: int, *, rng: np.random.Generator, num: int) -> tuple[str, ...]:
        return _only(self.weights(step), num)


class NearHalf(CurriculumValue):
    """Oracle: all slots go to the category whose measured mean reward lies nearest to 1/2.

    `observe` is told the probe's groups, of any categories; the latest mean of each counts. A
    category that was never probed counts as 1/2, so it comes first; of equals the earlier.
    """

    type: Literal["near-half"] = "near-half"
    categories: Categories
    rates: Mapping[str, float] = {}
    """Mean reward by category, as last probed."""
    moving: ClassVar[frozenset[str]] = frozenset({"rates"})

    @model_validator(mode="after")
    def _rates_are_of_categories(self) -> Self:
        if odd := sorted(self.rates.keys() - set(self.categories)):
            raise ValueError(f"rates of {odd}: expected some of categories {self.categories}")
        return self

    def observe(self, step: int, seen: Sequence[GroupSeen]) -> "NearHalf":
        rewards: dict[str, list[float]] = {}
        for group in seen:
            rewards.setdefault(group.category, []).extend(group.rewards)
        known_categories(rewards, self.categories)
        rates = {name: math.fsum(of) / len(of) for name, of in rewards.items()}
        return self.model_copy(update={"rates": {**self.rates, **rates}})

    def weights(self, step: int) -> dict[str, float]:
        chosen = min(self.categories, key=lambda name: abs(self.rates.get(name, 0.5) - 0.5))
        return dict.fromkeys(self.categories, 0.0) | {chosen: 1.0}

    def next(self, step: int, *, rng: np.random.Generator, num: int) -> tuple[str, ...]:
        return _only(self.weights(step), num)


def _only(weights: Mapping[str, float], num: int) -> tuple[str, ...]:
    return (max(weights, key=weights.__getitem__),) * num
