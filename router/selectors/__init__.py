"""One file per rule how a skill gets its rows; `SELECTORS` is the table of them.

To add one: a file here with `rows_of(skill, features, *, seed)`, and its line in the table. The
fit tries it with every feature, and `auto` takes it where it is the best on dev. A selector of
another kind than nearest rows meets `types.Selector` and is handed to the gateway by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..features import Features
from ..fit_types import RoutedSkill
from ..scores import Floats
from . import description, prototypes
from .nearest import NearestRows


class RowsOf(Protocol):
    """The rows of one skill, shape (K, D), K >= 1, each of length 1 or all zeros."""

    def __call__(self, skill: RoutedSkill, features: Features, *, seed: int) -> Floats: ...


SELECTORS: Mapping[str, RowsOf] = {
    "prototypes": prototypes.rows_of,
    "description": description.rows_of,
}

__all__ = ["SELECTORS", "NearestRows", "RowsOf"]
