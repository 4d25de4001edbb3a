"""How much a word tells one skill from another. Pure.

Letters: S skills, D words, tokens or hash buckets. The weight is an inverse document frequency in
which a skill is a document: with p the smoothed share of a skill's texts that hold the word,

    spread = sum_S p / max_S p               1: one skill alone, S: all skills alike
    weight = log((1 + S) / (1 + spread)) + FLOOR

Counting texts instead would favour what is merely rare, such as a pair of list items that occurs
once. A word that no text holds weighs UNKNOWN times what a word of a single skill does: it lowers
every cosine, which is what makes a router abstain, but a known word still counts for more.
"""

from __future__ import annotations

import numpy as np

from ..scores import Floats

FLOOR = 0.05
"""Weight of a word that all skills share; not 0, so that a router of one skill still scores."""
UNKNOWN = 0.3
"""Share of the highest weight that a word nobody has seen gets."""
_PRIOR = 0.5


def skill_rarity(counts_SD: Floats) -> Floats:
    """Weights by the number of texts of each skill that hold a word, shape (S, D) -> (D,).

    The prior of half a text keeps a word that was seen once from looking like a sure sign.
    """
    num_skills = len(counts_SD)
    smooth_SD = counts_SD + _PRIOR
    spread_D = smooth_SD.sum(axis=0) / smooth_SD.max(axis=0)
    known_D = np.log((1 + num_skills) / (1 + spread_D)) + FLOOR
    unknown = UNKNOWN * (np.log((1 + num_skills) / 2) + FLOOR)
    weights: Floats = np.where(counts_SD.any(axis=0), known_D, unknown).astype(np.float32)
    return weights
