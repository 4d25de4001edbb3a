"""Judges of skill texts held against the true gain: does a score rank pairs as the gain does? Pure.

Owns the pairs and how often a judge is right on them. A judge is any number for each domain and
extractor: a lint score, a length, a model's opinion. Refuses to own the scores. A pair is two
extractors on one domain, its truth the mean gain over the targets. Pairs whose gains are equal
have no truth and are left out; a judge that scores both alike is right by half, as a coin.

Source: the pairwise judge of SkillLens, arXiv:2605.23899, which was right in 46.4 % of pairs
without its rubric and in 73.8 % with it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .errors import EvaluationError
from .lifecycle import LifecycleMatrix
from .stats import Interval, clustered_mean

Scores = Mapping[tuple[str, str], float]
"""(domain, extractor) -> what a judge thinks of the text; more is better."""


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """`right` is 1, 0, or 0.5 where the judge cannot tell."""

    domain: str
    first: str
    second: str
    right: float


def judged_pairs(matrix: LifecycleMatrix, scores: Scores) -> tuple[JudgedPair, ...]:
    """Every pair of extractors on every domain whose gains differ.

    Args:
        scores: of every domain with at least two extractors; those without a score are left out.
    """
    gains: dict[str, dict[str, list[float]]] = {}
    for cell in matrix.cells:
        if (cell.domain, cell.extractor) in scores:
            found = gains.setdefault(cell.domain, {})
            found.setdefault(cell.extractor, []).append(cell.gain)
    pairs = []
    for domain, found in sorted(gains.items()):
        for a, b in itertools.combinations(sorted(found), 2):
            truth = sum(found[a]) / len(found[a]) - sum(found[b]) / len(found[b])
            if truth != 0:
                said = scores[domain, a] - scores[domain, b]
                right = 0.5 if said == 0 else float((said > 0) == (truth > 0))
                pairs.append(JudgedPair(domain, a, b, right))
    return tuple(pairs)


def agreement(matrix: LifecycleMatrix, scores: Scores, *, seed: int = 0) -> Interval:
    """Share of pairs that a judge ranks as the gain does; a coin has 0.5.

    Raises:
        EvaluationError: no pair of which gains differ.
    """
    pairs = _some(judged_pairs(matrix, scores))
    return _mean(pairs, [pair.right for pair in pairs], seed)


def better_judge(matrix: LifecycleMatrix, a: Scores, b: Scores, *, seed: int = 0) -> Interval:
    """Agreement of judge a minus that of b on the same pairs.

    Raises:
        EvaluationError: no pair of which gains differ, or judges with scores of different texts.
    """
    if a.keys() != b.keys():
        raise EvaluationError(
            f"one judge scored {len(a)} texts and the other {len(b)}, or not the same ones"
        )
    of_a, of_b = _some(judged_pairs(matrix, a)), judged_pairs(matrix, b)
    return _mean(of_a, [x.right - y.right for x, y in zip(of_a, of_b, strict=True)], seed)


def _some(pairs: tuple[JudgedPair, ...]) -> tuple[JudgedPair, ...]:
    if not pairs:
        raise EvaluationError("no two texts of one domain have different gains: nothing to rank")
    return pairs


def _mean(pairs: tuple[JudgedPair, ...], values: list[float], seed: int) -> Interval:
    domains = [pair.domain for pair in pairs]
    return clustered_mean(values, domains, rng=np.random.default_rng(seed))
