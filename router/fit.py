"""Fitting: features, rows and a threshold for every candidate, judged on dev.

Owns the order of the steps and the comparison of candidates. A candidate is a rule with a feature,
named `prototypes/ngrams`. Refuses to own the rules (`selectors/`) and the threshold's rule
(`calibrate.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from .calibrate import fit_threshold
from .errors import RouterError
from .features import EmbeddingFeatures, Features, NgramFeatures
from .fit_types import DevFigures, DevState, RoutedSkill
from .scores import top
from .selectors import SELECTORS, NearestRows
from .state_text import state_text

DESCRIPTION_COUNT = 5
"""So many requests a description counts for when words are weighed: it was written to route by."""


def fit_features(skills: Sequence[RoutedSkill], *, base_dir: Path | None) -> tuple[Features, ...]:
    """Every served feature, fitted on descriptions and training requests.

    Without `base_dir` there is no embedding to read, and the n-grams stand alone.
    """
    texts = [[skill.description] * DESCRIPTION_COUNT + list(skill.requests) for skill in skills]
    ngrams: tuple[Features, ...] = (NgramFeatures.fit(texts),)
    if base_dir is None:
        return ngrams
    return (*ngrams, EmbeddingFeatures.fit(texts, base_dir=base_dir))


def fit_candidate(
    rule: str,
    features: Features,
    *,
    skills: Sequence[RoutedSkill],
    dev: Sequence[DevState],
    seed: int,
) -> tuple[NearestRows, DevFigures]:
    """One rule on one feature, with its threshold and its figures on dev."""
    selector = NearestRows(
        features=features,
        rows={skill.name: SELECTORS[rule](skill, features, seed=seed) for skill in skills},
        threshold=0.0,
        forms={skill.name: skill.form for skill in skills},
    )
    best = [top(selector.scores(state_text(case.state)), 1)[0] for case in dev]
    fitted = fit_threshold([score for _, score in best], [c.skill is not None for c in dev])
    inside = [
        name == case.skill and score >= fitted.value
        for (name, score), case in zip(best, dev, strict=True)
        if case.skill is not None
    ]
    figures = DevFigures(fitted.value, sum(inside) / len(inside), fitted.abstained)
    return NearestRows(features, selector.rows, fitted.value, selector.forms), figures


def best_candidate(figures: Mapping[str, DevFigures]) -> str:
    """The candidate with the highest accuracy on dev; of equal ones the first in the table."""
    return max(figures, key=lambda name: round(figures[name].accuracy, 12))


def require_fittable(skills: Sequence[RoutedSkill], dev: Sequence[DevState]) -> None:
    """Refuse what cannot be fitted.

    Raises:
        RouterError: no skills, one twice, or dev speaks of a skill that is not among them.
    """
    if not skills:
        raise RouterError("a router needs at least one skill to choose from, got none")
    twice = [name for name, n in Counter(skill.name for skill in skills).items() if n > 1]
    if twice:
        raise RouterError(f"skill {twice[0]!r} is given twice: expected each skill once")
    unknown = sorted({c.skill for c in dev if c.skill is not None} - {s.name for s in skills})
    if unknown:
        raise RouterError(
            f"dev has states of {unknown[0]!r}, which is no skill of this router; label states "
            "outside every skill with None"
        )
