"""A skill is a few rows in feature space; a state goes to the skill with the nearest row.

Owns the selector that every rule of this folder shares: rules differ only in the rows they give a
skill. Rows of one skill stand together. Adding or removing a skill leaves all other rows, the
features and the threshold as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..features import Features
from ..scores import Floats, best_per_skill, decide
from ..state_text import state_text
from ..types import Form, Route, State


@dataclass(frozen=True, eq=False)
class NearestRows:
    """Meets `Selector`; a value, so changing it makes another one."""

    features: Features
    rows: Mapping[str, Floats]
    """Skill -> its rows, shape (K, D), each of length 1."""
    threshold: float
    forms: Mapping[str, Form]

    @cached_property
    def _packed(self) -> tuple[tuple[str, ...], Floats, NDArray[np.intp]]:
        names = tuple(self.rows)
        sizes = [len(self.rows[name]) for name in names]
        starts_S = np.cumsum([0, *sizes[:-1]], dtype=np.intp)
        return names, np.ascontiguousarray(np.concatenate(list(self.rows.values()))), starts_S

    def scores(self, text: str) -> Mapping[str, float]:
        """Per skill, the cosine between the text and the skill's nearest row."""
        names, scores_S = self._scores(text)
        return {name: float(score) for name, score in zip(names, scores_S, strict=True)}

    def route(self, state: State) -> Route:
        """Decide for the state's last user turn."""
        names, scores_S = self._scores(state_text(state))
        return decide(names, scores_S, threshold=self.threshold, forms=self.forms)

    def with_skill(self, name: str, rows_KD: Floats, *, form: Form) -> NearestRows:
        """The same selector with one skill more, or with other rows for a skill it has."""
        return replace(self, rows={**self.rows, name: rows_KD}, forms={**self.forms, name: form})

    def without_skill(self, name: str) -> NearestRows:
        """The same selector with one skill less."""
        rows = {key: value for key, value in self.rows.items() if key != name}
        return replace(self, rows=rows, forms={k: v for k, v in self.forms.items() if k != name})

    def _scores(self, text: str) -> tuple[tuple[str, ...], Floats]:
        if not self.rows:
            return (), np.zeros(0, dtype=np.float32)
        names, rows_KD, starts_S = self._packed
        return names, best_per_skill(self.features.vector(text), rows_KD, starts_S=starts_S)
