"""Descriptions so alike that no router can tell their skills apart. Pure.

Owns the measure and its threshold. Refuses to own what to do about a pair.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from itertools import combinations

NEAR_DUPLICATE_COSINE = 0.60
"""At or above it two descriptions are reported as near-duplicates. Of 4,416 pairs of generated
descriptions of different topics the largest was 0.54; rewordings of one description lie at 0.6 to
1."""

_GRAM_CHARS = 4
_EMPTY_WORDS = frozenset(
    """a about also an and any are as at be by can do does for from has have if in into is it its
    like mentioned more not of on one or other some someone something speaks such than that the
    their them then there these this those to use used user users using want wants when whenever
    which who will with work working you your ask asked asks about request requests
    skill skills task tasks help helps handle handles handling""".split()
)
"""Words that nearly every description holds; they tell no two skills apart."""


def description_profile(text: str) -> Counter[str]:
    """Counts of the telling words of `text` and of their overlapping runs of four characters."""
    words = [w for w in re.findall(r"\w+", text.casefold()) if w not in _EMPTY_WORDS]
    joined = f" {' '.join(words)} "
    grams = (joined[i : i + _GRAM_CHARS] for i in range(len(joined) - _GRAM_CHARS + 1))
    return Counter([*words, *grams])


def cosine(left: Counter[str], right: Counter[str]) -> float:
    """`l . r / (|l| |r|)`, in [0, 1]; 0 where a side is empty."""
    small, large = sorted((left, right), key=len)
    dot = sum(count * large[key] for key, count in small.items())
    norm = math.sqrt(sum(c * c for c in left.values()) * sum(c * c for c in right.values()))
    return min(1.0, dot / norm) if norm else 0.0


def near_duplicates(descriptions: Mapping[str, str]) -> list[tuple[str, str, float]]:
    """Pairs of names whose descriptions are near-duplicates, the most alike first.

    Args:
        descriptions: name -> description.

    Returns:
        (first name, second name, cosine), names in the order given.
    """
    profiles = {name: description_profile(text) for name, text in descriptions.items()}
    pairs = [(a, b, cosine(profiles[a], profiles[b])) for a, b in combinations(profiles, 2)]
    alike = [pair for pair in pairs if pair[2] >= NEAR_DUPLICATE_COSINE]
    return sorted(alike, key=lambda pair: -pair[2])
