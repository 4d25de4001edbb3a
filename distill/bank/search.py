"""Which skills of a bank match a query: BM25, or cosine of hashed n-grams.

Owns ranking by words. Refuses to own learned routing (`router/`), whose n-grams it uses. To add a
mode: a function from texts and a query to scores, and its row in `MODES`.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ...adapters.errors import UsageError
from ...router.features import NgramFeatures
from .types import SkillText, shown_text

Mode = Literal["bm25", "ngrams"]

_K1, _B = 1.2, 0.75
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Hit:
    """A skill and how well it matches: BM25 is unbounded, a cosine lies in [0, 1]."""

    name: str
    score: float


def search(
    texts: Sequence[SkillText],
    query: str,
    k: int,
    *,
    mode: Mode = "bm25",
    min_score: float = 0.0,
) -> tuple[Hit, ...]:
    """At most `k` skills, the best first, names breaking ties.

    Args:
        texts: such as the active ones of a bank.
        min_score: only what scores above it; the default leaves out what shares no word.

    Raises:
        UsageError: `k` below 1, or a mode that does not exist.
    """
    if k < 1 or mode not in MODES:
        raise UsageError(f"search of {k} in mode {mode!r}: expected k >= 1, mode of {list(MODES)}")
    if not texts:
        return ()
    scores = MODES[mode]([shown_text(text) for text in texts], query)
    hits = [Hit(t.name, s) for t, s in zip(texts, scores, strict=True) if s > min_score]
    return tuple(sorted(hits, key=lambda hit: (-hit.score, hit.name))[:k])


def bm25(documents: Sequence[str], query: str) -> list[float]:
    """Okapi BM25 of each document, k1 = 1.2, b = 0.75.

    score(d) = sum over words q of idf(q) * f / (f + k1 * (1 - b + b * |d| / mean |d|)) * (k1 + 1)
    idf(q) = log(1 + (N - n + 0.5) / (n + 0.5)), f = count of q in d, n = documents that hold q

    Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), with the
    non-negative idf that most engines use.
    """
    counts = [Counter(_words(document)) for document in documents]
    lengths = [sum(count.values()) for count in counts]
    mean_length = sum(lengths) / len(lengths) or 1.0
    scores = [0.0] * len(documents)
    for word in dict.fromkeys(_words(query)):
        holding = sum(word in count for count in counts)
        idf = math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
        for index, count in enumerate(counts):
            norm = _K1 * (1 - _B + _B * lengths[index] / mean_length)
            scores[index] += idf * count[word] * (_K1 + 1) / (count[word] + norm)
    return scores


def ngram_cosines(documents: Sequence[str], query: str) -> list[float]:
    """Cosine of the router's hashed n-grams, each document a skill of its own."""
    features = NgramFeatures.fit([[document] for document in documents])
    asked = features.vector(query)
    return [max(0.0, float(features.vector(document) @ asked)) for document in documents]


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


MODES: Mapping[Mode, Callable[[Sequence[str], str], list[float]]] = {
    "bm25": bm25,
    "ngrams": ngram_cosines,
}
