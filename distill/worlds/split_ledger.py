"""Which split used which task, so that an overlap is an error and not a figure. Pure.

Owns the record of ids. Refuses to own which tasks a split is dealt, which is each world's own.
"""

from collections import Counter
from collections.abc import Iterable


class SplitLedger:
    """Remembers which task ids each split used and refuses an overlap."""

    def __init__(self) -> None:
        self._split_of: dict[str, str] = {}

    def record(self, split: str, ids: Iterable[str]) -> None:
        """Note that a split uses these tasks; the same split may name one again.

        Raises:
            ValueError: an id already stands in another split.
        """
        for task_id in ids:
            seen = self._split_of.setdefault(task_id, split)
            if seen != split:
                raise ValueError(
                    f"task {task_id} is in split {seen!r} and again in {split!r}; splits must be "
                    "disjoint: draw the second one with another seed or exclude these ids"
                )

    def outside(self, split: str) -> frozenset[str]:
        """The ids that stand in any other split: what a new draw of `split` may not have."""
        return frozenset(id for id, seen in self._split_of.items() if seen != split)

    def counts(self) -> dict[str, int]:
        """Tasks by split."""
        return dict(Counter(self._split_of.values()))
