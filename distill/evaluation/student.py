"""Student's t with whole degrees of freedom: its distribution function and its quantiles. Pure.

Owns these two closed forms, so that no library is needed for them. The small-sample correction of
intervals over few clusters or few seeds (`stats`, `over_seeds`) rests on them.
"""

from __future__ import annotations

import math

from .errors import EvaluationError

_HALVINGS = 200


def student_cdf(t: float, df: int) -> float:
    """P(T <= t) for T of Student's distribution with `df` degrees of freedom.

    Raises:
        EvaluationError: fewer than one degree of freedom.
    Source: Abramowitz and Stegun, 26.7.3 and 26.7.4 (finite sums for whole `df`).
    """
    if df < 1:
        raise EvaluationError(f"df={df}: Student's t needs at least 1 degree of freedom")
    angle = math.atan(t / math.sqrt(df))
    cosine = math.cos(angle)
    odd = df % 2 == 1
    term = cosine if odd else 1.0
    total = term if df > 1 else 0.0
    for k in range(3 if odd else 2, df, 2):  # each term from the one before
        term *= cosine**2 * (k - 1) / k
        total += term
    inside = math.sin(angle) * total
    inside = 2 / math.pi * (angle + inside) if odd else inside
    return 0.5 + inside / 2


def student_quantile(share: float, df: int) -> float:
    """The t below which `share` of Student's distribution lies, to about 1e-12 of its size.

    Raises:
        EvaluationError: a share outside (0, 1), or fewer than one degree of freedom.
    """
    if not 0.0 < share < 1.0:
        raise EvaluationError(f"share={share}: expected a number inside (0, 1)")
    if share < 0.5:
        return -student_quantile(1.0 - share, df)
    low, high = 0.0, 1.0
    while student_cdf(high, df) < share:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if student_cdf(middle, df) < share else (low, middle)
    return (low + high) / 2
