"""Which skills a student misses, as shares: from failed answers to weights of requests. Pure.

Owns the profile, which requests count as hard, and how well two profiles agree. Refuses to own who
names the missing skills (a teacher) and what is drawn by the weights (`drawing.py`). A *label* is
the name of a skill that a request takes; a request may take several.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...adapters.errors import UsageError

HARD = 0.5
"""A request of which at most this share of the samples passes is hard."""


@dataclass(frozen=True)
class SkillProfile:
    """How often each skill was missing; `counts` holds every known skill, 0 included.

    Raises:
        UsageError: no skill, or a count below 0.
    """

    counts: Mapping[str, float]

    def __post_init__(self) -> None:
        if not self.counts or min(self.counts.values()) < 0:
            raise UsageError(
                f"a profile of {dict(self.counts)}: expected at least one skill, counts from 0"
            )

    @classmethod
    def of(cls, known: Iterable[str], missing: Iterable[str]) -> SkillProfile:
        """Counts of what was named missing; names outside `known` are left out.

        Args:
            known: every skill that there is.
            missing: one name each time that somebody missed a skill.
        """
        counts = dict.fromkeys(known, 0.0)
        for name in missing:
            if name in counts:
                counts[name] += 1
        return cls(counts)

    @property
    def missing(self) -> frozenset[str]:
        """The skills that were missing at least once."""
        return frozenset(name for name, count in self.counts.items() if count > 0)

    @property
    def shares(self) -> dict[str, float]:
        """P(s), in proportion to the counts; all alike where nothing was missing. Sums to 1."""
        total = sum(self.counts.values())
        if total == 0:
            return dict.fromkeys(self.counts, 1 / len(self.counts))
        return {name: count / total for name, count in self.counts.items()}

    def weight(self, labels: Iterable[str]) -> float:
        """w(x): the sum of P(s) over the different skills that a request takes.

        Raises:
            KeyError: a skill that the profile does not know.
        """
        shares = self.shares
        return sum(shares[name] for name in set(labels))

    def permuted(self, rng: np.random.Generator) -> SkillProfile:
        """The same counts on other skills: no missing skill keeps its own place.

        A missing skill may still get the count of another missing one. Which skills change places
        is drawn evenly among all permutations that the rule allows.

        Raises:
            UsageError: a skill is missing and there is no other.
        """
        names = sorted(self.counts)
        if len(names) == 1 and self.missing:
            raise UsageError(f"a profile of {names} alone cannot be permuted: expected two skills")
        while True:
            giver = dict(zip(names, (names[i] for i in rng.permutation(len(names))), strict=True))
            if all(giver[name] != name for name in self.missing):
                return SkillProfile({name: self.counts[giver[name]] for name in names})


def hard_requests(passes: Mapping[str, Collection[bool]], *, most: float = HARD) -> tuple[str, ...]:
    """Ids of the requests of whose samples at most the share `most` passed, in the given order.

    Raises:
        UsageError: a request without samples.
    """
    if empty := [name for name, seen in passes.items() if not seen]:
        raise UsageError(f"request {empty[0]!r} has no samples: expected at least one")
    return tuple(name for name, seen in passes.items() if sum(seen) / len(seen) <= most)


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's rank correlation in [-1, 1]: Pearson's of the ranks, ties at their mean rank.

    0 where one side is all ties: nothing is ordered, so nothing agrees.

    Raises:
        UsageError: unequal lengths, or fewer than two values.
    """
    if len(a) != len(b) or len(a) < 2:
        raise UsageError(f"{len(a)} values and {len(b)}: expected the same number, at least 2")
    ranks_a, ranks_b = _ranks(a), _ranks(b)
    mean = (len(a) + 1) / 2
    spread_a = sum((rank - mean) ** 2 for rank in ranks_a)
    spread_b = sum((rank - mean) ** 2 for rank in ranks_b)
    if spread_a == 0 or spread_b == 0:
        return 0.0
    shared = sum((x - mean) * (y - mean) for x, y in zip(ranks_a, ranks_b, strict=True))
    return shared / math.sqrt(spread_a * spread_b)


def _ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; equal values share the mean of their places."""
    below = [sum(other < value for other in values) for value in values]
    alike = [sum(other == value for other in values) for value in values]
    return [low + (same + 1) / 2 for low, same in zip(below, alike, strict=True)]
