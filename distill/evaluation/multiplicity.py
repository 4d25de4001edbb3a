"""Correction for several comparisons. Pure.

Owns Holm's step-down adjustment. Refuses to own which comparisons belong together: those among
which a reader would pick the best. A criterion needs no correction, because all of its clauses
must hold; a table of several recipes does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from .errors import EvaluationError

Key = TypeVar("Key")


def holm(p_values: Mapping[Key, float]) -> dict[Key, float]:
    """Adjusted p-values: below a bar of 0.05, at most one in twenty tables has a false win.

    Of m sorted p-values the k-th becomes max over i <= k of min(1, (m - i + 1) * p_i).

    Raises:
        EvaluationError: a p-value outside [0, 1].
    Source: S. Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    for key, p in p_values.items():
        if not 0.0 <= p <= 1.0:
            raise EvaluationError(f"the p-value of {key} is {p}: expected a number in [0, 1]")
    order = sorted(p_values, key=lambda key: p_values[key])
    adjusted: dict[Key, float] = {}
    least = 0.0
    for place, key in enumerate(order):
        least = max(least, min(1.0, (len(order) - place) * p_values[key]))
        adjusted[key] = least
    return {key: adjusted[key] for key in p_values}
