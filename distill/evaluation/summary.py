"""From results of items to figures: summaries of arms, paired comparisons, a checked criterion.

Owns: the matching of items between arms (an item that one arm lacks is an error) and the way a
seed turns into one random stream a figure, so that adding an arm never moves another's interval.
Pure: results in, figures out. Refuses to own: asking anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .criterion import Checked, Criterion, check
from .errors import EvaluationError
from .multiplicity import holm
from .stats import (
    NUM_RESAMPLES,
    Interval,
    clustered_mean,
    clustered_p_value,
    discordant,
    mcnemar_exact,
    paired_difference,
)
from .types import ArmSummary, Comparison, ItemResult, Tokens


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that is computed from the results of one experiment."""

    arms: tuple[ArmSummary, ...]
    comparisons: tuple[Comparison, ...]
    checked: Checked


def by_arm(results: Iterable[ItemResult]) -> dict[str, tuple[ItemResult, ...]]:
    """Results by arm, each arm in order of item id, and every arm over exactly the same items.

    Raises:
        EvaluationError: no results, an item twice in one arm, an item missing from an arm, or
            one item under two clusters.
    """
    arms: dict[str, dict[str, ItemResult]] = {}
    for result in results:
        items = arms.setdefault(result.arm, {})
        if result.item_id in items:
            raise EvaluationError(
                f"arm {result.arm!r} answered item {result.item_id!r} twice: expected one result"
            )
        items[result.item_id] = result
    if not arms:
        raise EvaluationError("no results: at least one arm must have answered at least one item")
    first_name, first = next(iter(arms.items()))
    for name, items in arms.items():
        _require_same_items(first, items, names=(first_name, name))
    return {arm: tuple(items[key] for key in sorted(items)) for arm, items in arms.items()}


def summarise(
    results: Sequence[ItemResult], *, seed: int = 0, num_resamples: int = NUM_RESAMPLES
) -> ArmSummary:
    """Summary of one arm's results.

    Raises:
        EvaluationError: no results, or results of several arms.
    """
    names = sorted({result.arm for result in results})
    if len(names) != 1:
        raise EvaluationError(f"results of the arms {names}: expected those of exactly one arm")
    passes = [float(result.passed) for result in results]
    of_cluster: dict[str, list[float]] = {}
    for result in results:
        of_cluster.setdefault(result.cluster, []).append(float(result.passed))
    clusters = [result.cluster for result in results]
    rng = _stream(seed, "mean", names[0])
    interval = clustered_mean(passes, clusters, rng=rng, num_resamples=num_resamples)
    answered = [result for result in results if not result.error]
    return ArmSummary(
        name=names[0],
        mean=interval.estimate,
        ci=(interval.low, interval.high),
        n=len(results),
        tokens=Tokens(
            prompt=_mean([result.prompt_tokens for result in answered]),
            completion=_mean([result.completion_tokens for result in answered]),
        ),
        failures=len(results) - len(answered),
        per_cluster={name: _mean(of_cluster[name]) for name in sorted(of_cluster)},
    )


def compare(
    a: Sequence[ItemResult],
    b: Sequence[ItemResult],
    *,
    seed: int = 0,
    num_resamples: int = NUM_RESAMPLES,
) -> Comparison:
    """Arm a minus arm b, paired by item.

    `p` is that of the clusters, and never below McNemar's: no clusters make few disagreements say
    more than as many fair coins would.

    Raises:
        EvaluationError: the two arms did not answer the same items, or are the same arm.
    """
    arms = by_arm([*a, *b])
    if len(arms) != 2:
        raise EvaluationError(f"a comparison needs two arms, got {sorted(arms)}")
    (name_a, rows_a), (name_b, rows_b) = arms.items()
    passed_a, passed_b = [r.passed for r in rows_a], [r.passed for r in rows_b]
    clusters = [r.cluster for r in rows_a]
    interval = paired_difference(
        [float(p) for p in passed_a],
        [float(p) for p in passed_b],
        clusters_N=clusters,
        rng=_stream(seed, "difference", name_a, name_b),
        num_resamples=num_resamples,
    )
    counts = discordant(passed_a, passed_b)
    return Comparison(
        a=name_a,
        b=name_b,
        diff=interval.estimate,
        ci=(interval.low, interval.high),
        discordant=counts,
        n=len(rows_a),
        p_mcnemar=mcnemar_exact(counts),
        p=max(
            mcnemar_exact(counts),
            clustered_p_value(
                [float(x) - float(y) for x, y in zip(passed_a, passed_b, strict=True)], clusters
            ),
        ),
    )


def corrected(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The same comparisons with Holm's correction over all of them."""
    adjusted = holm({(c.a, c.b): c.p for c in comparisons})
    return tuple(replace(c, p_holm=adjusted[c.a, c.b]) for c in comparisons)


def judge(
    results: Iterable[ItemResult],
    criterion: Criterion,
    *,
    pairs: Iterable[tuple[str, str]] = (),
    numbers: Mapping[str, float | Interval] | None = None,
    seed: int = 0,
    num_resamples: int = NUM_RESAMPLES,
) -> Judgement:
    """Summarise every arm, compare what the criterion and `pairs` name, and check the criterion.

    The comparisons carry p-values corrected for each other; a criterion, all of whose clauses must
    hold, needs no correction and is checked on intervals.

    Args:
        results: of every arm, over the same items.
        criterion: written before the run.
        pairs: comparisons to report beyond those the criterion needs.
        numbers: what the criterion's `Measured` clauses ask for.
        seed: of the bootstrap.
        num_resamples: of every interval.

    Raises:
        EvaluationError: arms not matched, or an arm that a clause or a pair names is missing.
    """
    arms = by_arm(results)
    wanted = tuple(dict.fromkeys((*criterion.pairs, *pairs)))
    require_arms(arms, [*criterion.arms, *(arm for pair in wanted for arm in pair)])
    draws = {"seed": seed, "num_resamples": num_resamples}
    summaries = tuple(summarise(rows, **draws) for rows in arms.values())
    comparisons = corrected([compare(arms[a], arms[b], **draws) for a, b in wanted])
    checked = check(
        criterion,
        means={summary.name: Interval(summary.mean, *summary.ci) for summary in summaries},
        differences={(c.a, c.b): c.interval for c in comparisons},
        numbers=numbers,
    )
    return Judgement(arms=summaries, comparisons=comparisons, checked=checked)


def require_arms(have: Iterable[str], wanted: Iterable[str]) -> None:
    """Fail before anything is spent when a criterion names an arm that will not run.

    Raises:
        EvaluationError: with the missing and the present arms.
    """
    present = set(have)
    missing = sorted(set(wanted) - present)
    if missing:
        raise EvaluationError(
            f"no arm named {', '.join(map(repr, missing))}; the run has "
            f"{', '.join(map(repr, sorted(present)))}. Add the arm or correct the criterion"
        )


def _require_same_items(
    a: Mapping[str, ItemResult], b: Mapping[str, ItemResult], *, names: tuple[str, str]
) -> None:
    lonely = sorted(a.keys() ^ b.keys())
    if lonely:
        holder = names[0] if lonely[0] in a else names[1]
        raise EvaluationError(
            f"arms {names[0]!r} ({len(a)} items) and {names[1]!r} ({len(b)} items) are not "
            f"matched: {len(lonely)} items are in one alone, such as {lonely[0]!r}, which only "
            f"{holder!r} answered. Every arm must answer the same items"
        )
    moved = next((key for key in a if a[key].cluster != b[key].cluster), None)
    if moved is not None:
        raise EvaluationError(
            f"item {moved!r} is in cluster {a[moved].cluster!r} for arm {names[0]!r} and in "
            f"{b[moved].cluster!r} for arm {names[1]!r}"
        )


def _stream(seed: int, *names: str) -> np.random.Generator:
    """A random stream that depends on the seed and on what it is for, not on the order of use."""
    key = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(key[:8], "little")])


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
