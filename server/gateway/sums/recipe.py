"""A sum of stored versions in one spelling, so that equal sums are one adapter. Pure.

Owns what makes two sums equal: the versions by content and their weights, in any order, a version
named twice counted once. Refuses to own what names mean (`models/resolve.py`) and the sum itself
(`sums/composer.py`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ....adapters.expr import ModelTerms, Term, format_model
from ....adapters.store.types import Version

METHOD = "linear"
NAME_DIGITS = 12


@dataclass(frozen=True)
class Part:
    """One term: a version and its weight."""

    version: Version
    weight: float


@dataclass(frozen=True)
class Recipe:
    """A sum in its one spelling: `parts` in order of name, number and digest, no version twice."""

    parts: tuple[Part, ...]

    @property
    def key(self) -> tuple[tuple[str, float], ...]:
        """What it is made of, by content."""
        return tuple((part.version.version_digest, part.weight) for part in self.parts)

    @property
    def terms(self) -> ModelTerms:
        """The sum with every term pinned to its version; a weight of 1 goes without saying."""
        return ModelTerms(tuple(_term(part) for part in self.parts))

    @property
    def label(self) -> str:
        """For people: `a@1*0.7+b@2`."""
        return format_model(self.terms)

    @property
    def names(self) -> str:
        """The ids alone, for metrics and bills: `a+b`."""
        return "+".join(dict.fromkeys(str(part.version.id) for part in self.parts))

    def digest(self, rank: int | None) -> str:
        """Names the composed content: what is added, how, and to which rank it is cut (None: not).

        The order of the terms is left out: it changes no more than the last bit of a sum.
        """
        document = {
            "terms": sorted(self.key),
            "method": METHOD,
            "rank": "exact" if rank is None else rank,
        }
        return hashlib.sha256(json.dumps(document).encode()).hexdigest()


def recipe_of(parts: Sequence[Part]) -> Recipe:
    """The one spelling of a sum of at least one part.

    A version that stands twice gets both weights together; weights of 0 fall away while anything is
    left.
    """
    weights: dict[str, float] = {}
    versions: dict[str, Version] = {}
    for part in parts:
        digest = part.version.version_digest
        versions.setdefault(digest, part.version)
        weights[digest] = weights.get(digest, 0.0) + part.weight
    used = [digest for digest, weight in weights.items() if weight != 0.0] or [*weights][:1]
    ordered = sorted(used, key=lambda digest: _place(versions[digest]))
    return Recipe(tuple(Part(versions[digest], weights[digest]) for digest in ordered))


def rank_of_sum(ranks: Sequence[Mapping[str, int]]) -> int:
    """The rank of an exact sum: the largest sum of ranks in any module.

    Args:
        ranks: for each part, module name -> rank.
    """
    total: dict[str, int] = {}
    for each in ranks:
        for module, rank in each.items():
            total[module] = total.get(module, 0) + rank
    return max(total.values())


def _term(part: Part) -> Term:
    weight = None if part.weight == 1.0 else part.weight
    return Term(id=part.version.id, version=part.version.number, weight=weight)


def _place(version: Version) -> tuple[str, int, str]:
    return str(version.id), version.number, version.version_digest
