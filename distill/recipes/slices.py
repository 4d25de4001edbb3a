"""Parts of an experiment that no clause speaks of: the same arms on other items, as notes.

A criterion speaks of one set of items. Whatever else was asked (longer chains, a held-out kind) is
reported with its intervals whatever it is, one note a slice. Pure.
"""

from collections.abc import Mapping, Sequence

from ..evaluation import ItemResult, by_arm, compare, summarise


def sliced(results: Sequence[ItemResult]) -> dict[str, tuple[ItemResult, ...]]:
    """Results by slice, in order of appearance; an item of cluster `NAME-NUMBER` is of NAME."""
    out: dict[str, list[ItemResult]] = {}
    for result in results:
        out.setdefault(result.cluster.rpartition("-")[0], []).append(result)
    return {name: tuple(rows) for name, rows in out.items()}


def slice_notes(
    slices: Mapping[str, Sequence[ItemResult]], pairs: Sequence[tuple[str, str]], *, seed: int
) -> tuple[str, ...]:
    """One sentence a slice: every arm's mean, and differences with their 95 % intervals."""
    return tuple(_note(name, rows, pairs, seed) for name, rows in slices.items())


def _note(
    name: str, rows: Sequence[ItemResult], pairs: Sequence[tuple[str, str]], seed: int
) -> str:
    arms = by_arm(rows)
    means = ", ".join(
        f"{arm} {summarise(found, seed=seed).mean:.3f}" for arm, found in arms.items()
    )
    seen = [compare(arms[a], arms[b], seed=seed) for a, b in pairs]
    differences = "; ".join(
        f"{c.a} minus {c.b} {c.diff:+.3f} [{c.ci[0]:+.3f}, {c.ci[1]:+.3f}]" for c in seen
    )
    num_items = len(next(iter(arms.values())))
    return f"{name} ({num_items} items): {means}; {differences}"
