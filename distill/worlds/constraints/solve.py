"""The constructive expert of the constraint world. Pure.

It fills places from the left: letters that a constraint asks for first, then letters that none
names, in the order of the request, unused ones before repeats; it goes back where a constraint
can no longer be satisfied. The same constraints and letters give the same list.
"""

from collections.abc import Sequence

from ..string_skills.primitives import Symbols
from .predicates import MAX_LENGTH
from .spec import Constraint

LENGTHS = (4, 5, 3, 6, 7, 8)
"""Lengths in the order in which they are tried."""

_WANTED = ("contains", "twice", "before", "follows")
_BUDGET = 4000
"""Beginnings of one length that are looked at before it is given up."""


def solve(constraints: Sequence[Constraint], letters: Symbols) -> Symbols | None:
    """A list of `letters` that satisfies all constraints; None where the search finds none."""
    order = _order(constraints, letters)
    for length in LENGTHS:
        if not all(row.can((), length) for row in constraints):
            continue
        found = _Search(constraints, order, length).run(())
        if found is not None:
            return found
    return None


def _order(constraints: Sequence[Constraint], letters: Symbols) -> Symbols:
    """The letters in the order in which a place prefers them."""
    for row in constraints:
        if row.kind == "sorted":
            return tuple(sorted(letters, reverse=row.params[0] == "down"))
    wanted = [x for row in constraints if row.kind in _WANTED for x in row.symbols]
    named = {x for row in constraints for x in row.symbols}
    free = [x for x in letters if x not in named]
    return tuple(dict.fromkeys([*wanted, *free, *letters]))


class _Search:
    """Depth first over beginnings of one length, with a budget."""

    def __init__(self, constraints: Sequence[Constraint], order: Symbols, length: int) -> None:
        self._constraints = constraints
        self._order = order
        self._length = length
        self._twice = {row.params[0] for row in constraints if row.kind == "twice"}
        self._left = _BUDGET

    def run(self, items: Symbols) -> Symbols | None:
        if len(items) == self._length:
            return items
        for symbol in self._preferred(items):
            self._left -= 1
            if self._left < 0:
                return None
            longer = (*items, symbol)
            if all(row.can(longer, self._length) for row in self._constraints):
                found = self.run(longer)
                if found is not None:
                    return found
        return None

    def _preferred(self, items: Symbols) -> list[str]:
        """Unused letters first; a letter that is wanted twice counts as unused after one use."""
        uses = {x: items.count(x) - (x in self._twice) for x in self._order}
        return sorted(self._order, key=lambda x: max(uses[x], 0))


assert max(LENGTHS) == MAX_LENGTH
