"""Hashed word and character n-grams, weighted by how well they tell skills apart. Pure.

Letters: D hash buckets, S skills. A bucket of a text weighs (1 + log count) * idf, with the idf of
`rarity.py`: a skill is a document.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Self

import numpy as np

from ..scores import Floats, unit
from .clip import clip
from .rarity import skill_rarity

NUM_BUCKETS = 4096
_WORD = re.compile(r"\w+")
_CHAR_SIZES = (4, 5)


@dataclass(frozen=True, eq=False)
class NgramFeatures:
    """Words, pairs of neighbouring words, and pieces of 4 and 5 letters of `^word$`."""

    idf_D: Floats

    name: ClassVar[str] = "ngrams"

    @classmethod
    def fit(
        cls, texts_by_skill: Sequence[Sequence[str]], *, num_buckets: int = NUM_BUCKETS
    ) -> Self:
        """Count in how many texts of each skill each bucket occurs."""
        counts_SD = np.zeros((len(texts_by_skill), num_buckets), dtype=np.float32)
        for counts_D, texts in zip(counts_SD, texts_by_skill, strict=True):
            for text in texts:
                counts_D[list(_buckets(text, num_buckets))] += 1
        return cls(skill_rarity(counts_SD))

    def vector(self, text: str) -> Floats:
        """Shape (D,), length 1, or all zeros for a text without a word."""
        counts = _buckets(text, self.idf_D.size)
        at = np.fromiter(counts.keys(), dtype=np.intp, count=len(counts))
        seen = np.fromiter(counts.values(), dtype=np.float32, count=len(counts))
        vector_D = np.zeros(self.idf_D.size, dtype=np.float32)
        vector_D[at] = (1 + np.log(seen)) * self.idf_D[at]
        return unit(vector_D)

    def arrays(self) -> Mapping[str, Floats]:
        """The idf of every bucket."""
        return {"idf": self.idf_D}


def _buckets(text: str, num_buckets: int) -> Counter[int]:
    return Counter(zlib.crc32(gram.encode()) % num_buckets for gram in _grams(text))


def _grams(text: str) -> Iterator[str]:
    words = _WORD.findall(unicodedata.normalize("NFKC", clip(text)).lower())
    for word in words:
        yield f"w {word}"
        marked = f"^{word}$"
        for size in _CHAR_SIZES:
            for start in range(len(marked) - size + 1):
                yield f"c {marked[start : start + size]}"
    for left, right in pairwise(words):
        yield f"p {left} {right}"
