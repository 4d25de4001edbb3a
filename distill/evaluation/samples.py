"""Several answers to one item: how they are asked for, and pass@k without bias. Pure.

Owns the wrapping of items into samples and the estimator. Every sample is an item of its own to
the rest of the evaluator, with the id `ITEM#NUMBER`, so arms stay matched sample by sample; the
number stands in `meta["sample"]`, from which an `Ask` takes the seed of its request.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .errors import EvaluationError
from .stats import NUM_RESAMPLES, Interval, clustered_mean, paired_difference
from .types import Item, ItemResult, Outcome

SAMPLE_KEY = "sample"


@dataclass(frozen=True)
class Sampled:
    """One of several samples of an item."""

    item: Item
    number: int

    @property
    def id(self) -> str:
        return f"{self.item.id}#{self.number}"

    @property
    def family(self) -> str:
        return self.item.family

    @property
    def messages(self) -> Sequence[Mapping[str, object]]:
        return self.item.messages

    @property
    def split(self) -> str:
        return self.item.split

    @property
    def meta(self) -> Mapping[str, object]:
        return {**self.item.meta, SAMPLE_KEY: str(self.number)}

    def verify(self, text: str) -> Outcome:
        return self.item.verify(text)


def several_samples(items: Sequence[Item], num_samples: int) -> tuple[Sampled, ...]:
    """Every item so many times, to be asked at a temperature above 0.

    Raises:
        EvaluationError: fewer than one sample.
    """
    if num_samples < 1:
        raise EvaluationError(f"num_samples={num_samples}: expected at least 1")
    return tuple(Sampled(item, number) for item in items for number in range(num_samples))


def pass_at_k(num_samples: int, num_passed: int, k: int) -> float:
    """Chance that at least one of k samples passes, without bias from n >= k samples.

    1 - C(n - c, k) / C(n, k): the share of k-subsets of the n samples that hold a pass.

    Raises:
        EvaluationError: not 0 <= c <= n and 1 <= k <= n.
    Source: Chen et al., Evaluating Large Language Models Trained on Code, arXiv:2107.03374, eq. 1.
    """
    if not (0 <= num_passed <= num_samples and 1 <= k <= num_samples):
        raise EvaluationError(
            f"n={num_samples}, c={num_passed}, k={k}: expected 0 <= c <= n and 1 <= k <= n; draw "
            "more samples or ask for a smaller k"
        )
    return 1.0 - math.comb(num_samples - num_passed, k) / math.comb(num_samples, k)


def pass_at_k_mean(
    results: Sequence[ItemResult], k: int, *, seed: int = 0, num_resamples: int = NUM_RESAMPLES
) -> Interval:
    """Mean pass@k of one arm over its items, with its interval clustered by skill.

    Raises:
        EvaluationError: results of several arms, or an item with fewer than k samples.
    """
    values = _by_item(results, k)
    clusters = [cluster for _, cluster in values.values()]
    rng = np.random.default_rng([seed, k])
    shares = [share for share, _ in values.values()]
    return clustered_mean(shares, clusters, rng=rng, num_resamples=num_resamples)


def pass_at_k_difference(
    a: Sequence[ItemResult],
    b: Sequence[ItemResult],
    k: int,
    *,
    seed: int = 0,
    num_resamples: int = NUM_RESAMPLES,
) -> Interval:
    """Mean pass@k of arm a minus that of arm b, paired by item, clustered by skill.

    Raises:
        EvaluationError: as `pass_at_k_mean`; the arms did not answer the same items.
    """
    of_a, of_b = _by_item(a, k), _by_item(b, k)
    if of_a.keys() != of_b.keys():
        lonely = sorted(of_a.keys() ^ of_b.keys())
        raise EvaluationError(
            f"{len(lonely)} items are in one arm alone, such as {lonely[0]!r}: both must have "
            "answered the same items"
        )
    return paired_difference(
        [of_a[key][0] for key in of_a],
        [of_b[key][0] for key in of_a],
        clusters_N=[of_a[key][1] for key in of_a],
        rng=np.random.default_rng([seed, k]),
        num_resamples=num_resamples,
    )


def _by_item(results: Sequence[ItemResult], k: int) -> dict[str, tuple[float, str]]:
    """Per item pass@k and the cluster, in order of id."""
    arms = sorted({result.arm for result in results})
    if len(arms) != 1:
        raise EvaluationError(f"results of the arms {arms}: expected those of exactly one arm")
    passes: dict[str, list[ItemResult]] = {}
    for result in results:
        passes.setdefault(_item_of(result.item_id), []).append(result)
    return {
        key: (pass_at_k(len(rows), sum(row.passed for row in rows), k), rows[0].cluster)
        for key, rows in sorted(passes.items())
    }


def _item_of(sample_id: str) -> str:
    """The id of the item that a sample is of; an id without a number behind `#` is the item's."""
    item_id, _, number = sample_id.rpartition("#")
    return item_id if item_id and number.isascii() and number.isdecimal() else sample_id
