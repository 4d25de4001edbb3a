"""The null curriculum: every category alike at every step, whatever was seen. Pure.

Owns that alone; every other curriculum is compared with it. For control arms with an order see
`orders.py`.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from .curriculum import Categories, CurriculumValue, GroupSeen, draw_categories


class Uniform(CurriculumValue):
    """P(c) = 1 / C."""

    type: Literal["uniform"] = "uniform"
    categories: Categories

    def observe(self, step: int, seen: Sequence[GroupSeen]) -> "Uniform":
        return self

    def weights(self, step: int) -> dict[str, float]:
        return dict.fromkeys(self.categories, 1 / len(self.categories))

    def next(self, step: int, *, rng: np.random.Generator, num: int) -> tuple[str, ...]:
        return draw_categories(self.weights(step), num, rng=rng)
