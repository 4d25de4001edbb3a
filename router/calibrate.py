"""The threshold below which the router abstains, fitted on dev. Pure.

Rule: choose the threshold with the highest balanced accuracy of route against abstain, that is
the mean of (share of skill states routed) and (share of outside states abstained on). Whether
the routed skill was the right one plays no part here: a threshold cannot mend a wrong order.
Where several thresholds tie, take the widest gap between neighbouring dev scores, and in it the
point a quarter of the way up: wording that dev lacks lowers the scores of skill states, while
states outside every skill stand near their floor whatever their words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import RouterError

_Scores = NDArray[np.float64]

ALWAYS, NEVER = -2.0, 2.0
"""Thresholds outside the range of a cosine: route every state, route none."""

_WAY_UP = 0.25


@dataclass(frozen=True, slots=True)
class Threshold:
    """A fitted threshold and how it did on the states it was fitted on."""

    value: float
    routed: float
    """Share of skill states with a best score at the threshold or above."""
    abstained: float
    """Share of outside states with a best score below it."""

    @property
    def balanced_accuracy(self) -> float:
        """Mean of the two shares."""
        return (self.routed + self.abstained) / 2


def fit_threshold(best_N: Sequence[float], in_scope_N: Sequence[bool]) -> Threshold:
    """Fit the threshold on the best score of every dev state.

    Args:
        best_N: the highest score of each state, whatever skill it belongs to.
        in_scope_N: whether the state belongs to some skill.

    Raises:
        RouterError: dev lacks skill states or outside states, so nothing can be balanced.
    """
    best, in_scope = np.asarray(best_N, dtype=np.float64), np.asarray(in_scope_N, dtype=bool)
    inside, outside = best[in_scope], best[~in_scope]
    if not inside.size or not outside.size:
        raise RouterError(
            f"dev has {inside.size} states of skills and {outside.size} outside every skill: "
            "abstention needs both. Add requests that no skill should answer"
        )
    edges = np.unique(best)
    points = edges[:-1] + _WAY_UP * np.diff(edges)
    candidates = [
        *zip(points, np.diff(edges), strict=True),
        (ALWAYS, 0.0),
        (NEVER, 0.0),
    ]
    fitted = [(_at(float(value), inside, outside), float(room)) for value, room in candidates]
    return max(fitted, key=lambda pair: (round(pair[0].balanced_accuracy, 12), pair[1]))[0]


def _at(value: float, inside: _Scores, outside: _Scores) -> Threshold:
    return Threshold(
        value=value,
        routed=float(np.mean(inside >= value)),
        abstained=float(np.mean(outside < value)),
    )
