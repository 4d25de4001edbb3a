"""The arithmetic of routing, without a softmax: cosines, best per skill, top k, the decision. Pure.

Letters: K rows (prototypes), D features, S skills. Scores are cosines in [-1, 1]; they are
compared with each other and with a threshold fitted on dev, never turned into probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .types import Choice, Form, Route

Floats = NDArray[np.float32]
"""Float32 array; the letters in a name give its axes."""


def unit(rows: Floats) -> Floats:
    """Rows scaled to length 1 along the last axis; a row of zeros stays one."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    scaled: Floats = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return scaled


def best_per_skill(query_D: Floats, rows_KD: Floats, *, starts_S: NDArray[np.intp]) -> Floats:
    """The largest cosine between the query and the rows of each skill, shape (S,).

    Args:
        query_D: length 1, or all zeros where the query holds nothing known.
        rows_KD: length 1 each; the rows of a skill stand together.
        starts_S: the first row of each skill, ascending; every skill has at least one row.
    """
    best: Floats = np.maximum.reduceat(rows_KD @ query_D, starts_S)
    return best


def top(scores: Mapping[str, float], k: int) -> tuple[tuple[str, float], ...]:
    """The k best skills, best first; equal scores in order of name, so the order is total."""
    return tuple(sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:k])


def decide(
    skills: Sequence[str],
    scores_S: Floats,
    *,
    threshold: float,
    forms: Mapping[str, Form],
) -> Route:
    """The best skill in its form, or an abstention where the best score is below the threshold.

    Args:
        skills: names, in the order of the scores; none of them is an abstention.
        scores_S: one score a skill.
        threshold: a skill is chosen at this score and above.
        forms: per skill; a skill without an entry goes in as text.

    Returns:
        A route with at most one choice and all scores.
    """
    scores = {name: float(score) for name, score in zip(skills, scores_S, strict=True)}
    if not scores:
        return Route(reason="abstained, there is no skill to choose")
    name, score = top(scores, 1)[0]
    if score < threshold:
        reason = f"abstained, best is {name} at {score:.3f}, below {threshold:.3f}"
        return Route(reason=reason, scores=scores)
    form = forms.get(name, "text")
    reason = f"{name} at {score:.3f}, threshold {threshold:.3f}, form {form}"
    return Route(choice=(Choice(skill=name, form=form),), reason=reason, scores=scores)
