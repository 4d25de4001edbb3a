"""Rows drawn from a finite pool: by weight, under quotas, by agreement. Pure.

Owns the draws and their rules of replacement. Refuses to own where weights come from
(`profile.py`, `bandit.py`, `ladder.py`). All randomness comes from the generator passed in.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

import numpy as np

from ...adapters.errors import UsageError

Row = TypeVar("Row")


def draw_rows(
    pool: Sequence[Row], weights: Sequence[float], num_rows: int, *, rng: np.random.Generator
) -> list[Row]:
    """So many rows by weight, without replacement while rows of positive weight are left.

    A row comes a second time only after every row of positive weight came once, and so on; a row
    of weight 0 never comes. Each round is a draw one after the other, each in proportion to the
    weights of the rows that are left: the rows with the smallest e/w, e exponential, which is the
    order of u^(1/w) for u even in (0, 1).

    Raises:
        UsageError: a weight for each row is not given, one is below 0, or all of them are 0.
    Source: Efraimidis and Spirakis, Information Processing Letters 97 (2006), algorithm A.
    """
    if len(pool) != len(weights) or min(weights, default=0) < 0:
        raise UsageError(
            f"{len(pool)} rows and {len(weights)} weights, least {min(weights, default=0)}: "
            "expected one weight a row, none below 0"
        )
    urn = [place for place, weight in enumerate(weights) if weight > 0]
    if num_rows and not urn:
        raise UsageError(f"{len(pool)} rows of weight 0: expected one that can be drawn")
    positive = np.array([weights[place] for place in urn])
    drawn: list[Row] = []
    while len(drawn) < num_rows:
        order = np.argsort(rng.exponential(size=len(urn)) / positive)
        drawn += [pool[urn[at]] for at in order[: num_rows - len(drawn)]]
    return drawn


def draw_by_stratum(
    pool: Sequence[Row],
    weight: Callable[[Row], float],
    num_rows: int,
    *,
    stratum: Callable[[Row], str],
    rng: np.random.Generator,
) -> list[Row]:
    """Rows by weight, equally many of every stratum, so that arms differ in nothing but `weight`.

    Strata come in order of their names; the first ones give one more where the number does not
    divide. Within each the rules are those of `draw_rows`.

    Raises:
        UsageError: what `draw_rows` refuses; a stratum in which every weight is 0.
    """
    parts: dict[str, list[Row]] = {}
    for row in pool:
        parts.setdefault(stratum(row), []).append(row)
    drawn: list[Row] = []
    for place, name in enumerate(sorted(parts)):
        share = num_rows // len(parts) + (place < num_rows % len(parts))
        drawn += draw_rows(parts[name], [weight(row) for row in parts[name]], share, rng=rng)
    return drawn


def draw_of_each(
    names: Sequence[str], pools: Mapping[str, Sequence[Row]], *, rng: np.random.Generator
) -> list[Row]:
    """A row of the named pool for each name, in their order: the tasks of drawn categories.

    Evenly within a pool. A row comes twice only when its pool is used up, since two groups of one
    task at one step teach less than two tasks; SEC, which this is for, does not say.

    Raises:
        UsageError: a name without a pool, or with an empty one.
    """
    if missing := sorted({name for name in names if not pools.get(name)}):
        raise UsageError(f"{missing[0]!r} has no rows: expected some of {', '.join(sorted(pools))}")
    waiting = {
        name: iter(draw_rows(pools[name], [1.0] * len(pools[name]), num, rng=rng))
        for name, num in sorted(Counter(names).items())
    }
    return [next(waiting[name]) for name in names]


def within_quotas(
    pool: Sequence[Row],
    quotas: Mapping[str, int],
    *,
    labels: Callable[[Row], Collection[str]],
) -> list[Row]:
    """The rows, in order, that no label of theirs makes too many of.

    Args:
        quotas: by label, in how many rows it may stand; a label that is missing has none.
        labels: of a row; each counts once.
    """
    used: Counter[str] = Counter()
    kept = []
    for row in pool:
        names = set(labels(row))
        if all(used[name] < quotas.get(name, 0) for name in names):
            used.update(names)
            kept.append(row)
    return kept


def agreed(answers: Sequence[str | None], *, least: int = 2) -> str | None:
    """What at least `least` answers say; None where they do not, or where two things tie.

    Args:
        answers: None for one that says nothing.
    """
    counts = Counter(answer for answer in answers if answer is not None).most_common(2)
    if not counts or counts[0][1] < least:
        return None
    return None if len(counts) > 1 and counts[1][1] == counts[0][1] else counts[0][0]
