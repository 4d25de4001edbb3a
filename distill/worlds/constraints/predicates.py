"""The predicates of the constraint world: what a list of letters must satisfy. Pure.

Each predicate is one row: a test of unfinished lists, its parameters, how a skill says it and how
a worked answer notes it. To add one, add a row to `PREDICATES`; the solver, the texts, the
held-out rule and the verifier follow. Every word must be one token of the shipped base.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..string_skills.primitives import ALPHABET, Params, Symbols

MAX_LENGTH = 8
"""Most letters of an answer, and the number of letters that a request offers."""

ParamKind = Literal["none", "symbol", "pair", "place", "count", "order", "parity"]

NUMBERS = {
    "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven", "8": "eight",
}  # fmt: skip
ORDINALS = {"2": "second", "3": "third", "4": "fourth", "5": "fifth"}
ORDERS = {"up": ("from b to t", "upwards"), "down": ("from t to b", "downwards")}


@dataclass(frozen=True)
class Predicate:
    """One constraint on a list.

    `can` takes a beginning, the length of the whole list and the parameters; it is False as soon
    as no list of that length which begins so can satisfy the predicate alone, given letters
    enough, and it is exact for the whole list. `needs` counts the places that the predicate
    fills; `strong` ones name a letter for a place: chance satisfies one in eight, and every skill
    has one.
    """

    kind: str
    params: ParamKind
    can: Callable[[Symbols, int, Params], bool]
    wordings: tuple[str, ...]
    note: str
    needs: int = 0
    strong: bool = False

    def holds(self, items: Symbols, params: Params) -> bool:
        """Whether a whole list satisfies it."""
        return self.can(items, len(items), params)


def _at(place: int) -> Callable[[Symbols, int, Params], bool]:
    def can(items: Symbols, length: int, params: Params) -> bool:
        index = place if place >= 0 else length + place
        return 0 <= index < length and (len(items) <= index or items[index] == params[-1])

    return can


def _place(items: Symbols, length: int, params: Params) -> bool:
    return _at(int(params[0]) - 1)(items, length, params)


def _times(least: int, most: int) -> Callable[[Symbols, int, Params], bool]:
    def can(items: Symbols, length: int, params: Params) -> bool:
        seen = items.count(params[0])
        return seen <= most and seen + length - len(items) >= least

    return can


def _sorted(items: Symbols, length: int, params: Params) -> bool:
    return list(items) == sorted(items, reverse=params[0] == "down")


def _parity(items: Symbols, length: int, params: Params) -> bool:
    return length % 2 == (params[0] == "odd")


def _before(items: Symbols, length: int, params: Params) -> bool:
    """Both stand in the list, and the first `x` stands before the first `y`."""
    first, second = params
    if second in items:
        return first in items[: items.index(second)]
    return length - len(items) >= (1 if first in items else 2)


def _follows(items: Symbols, length: int, params: Params) -> bool:
    """`x` stands in the list, and right after every `x` stands `y`."""
    first, second = params
    after = items[1:]
    if any(x == first and y != second for x, y in zip(items, after, strict=False)):
        return False
    missing = 1 if items[-1:] == (first,) else 0 if first in items else 2
    return length - len(items) >= missing


_ROWS = (
    Predicate(
        "starts", "symbol", _at(0),
        ("start with {x}", "begin with {x}", "the first letter is {x}", "put {x} first"),
        "start {x}", needs=1, strong=True,
    ),
    Predicate(
        "ends", "symbol", _at(-1),
        ("end with {x}", "finish with {x}", "the last letter is {x}", "put {x} last"),
        "end {x}", needs=1, strong=True,
    ),
    Predicate(
        "place", "place", _place,
        ("the {o} letter is {x}", "put {x} in {o} place", "{x} is the {o} letter"),
        "{n} is {x}", needs=1, strong=True,
    ),
    Predicate(
        "count", "count", lambda items, length, params: length == int(params[0]),
        ("use exactly {n} letters", "write {n} letters in all", "the list has {n} letters"),
        "count {n}",
    ),
    Predicate(
        "contains", "symbol", _times(1, MAX_LENGTH),
        ("use {x} at least once", "include {x}", "{x} must be in the list"),
        "use {x}", needs=1,
    ),
    Predicate(
        "avoids", "symbol", _times(0, 0),
        ("avoid {x}", "never use {x}", "do not use {x}", "write it without {x}"),
        "avoid {x}",
    ),
    Predicate(
        "twice", "symbol", _times(2, 2),
        ("use {x} exactly twice", "write {x} two times", "{x} must be there twice"),
        "twice {x}", needs=2,
    ),
    Predicate(
        "sorted", "order", _sorted,
        ("sort the letters {d}", "the letters are sorted {d}", "keep the letters in order {d}"),
        "order {d}",
    ),
    Predicate(
        "unique", "none", lambda items, length, params: len({*items}) == len(items),
        ("use no letter twice", "each letter only once", "do not repeat a letter",
         "all letters are different"),
        "once each",
    ),
    Predicate(
        "parity", "parity", _parity,
        ("use an {d} number of letters", "the number of letters is {d}",
         "the list has an {d} length"),
        "{d}",
    ),
    Predicate(
        "before", "pair", _before,
        ("put {x} before {y}", "{x} comes before {y}", "use {x} and then, after it, {y}"),
        "{x} before {y}", needs=2,
    ),
    Predicate(
        "follows", "pair", _follows,
        ("put {y} right after every {x}", "use {x}, each with {y} right after it",
         "{x} comes with {y} right behind it"),
        "{x} then {y}", needs=2,
    ),
)  # fmt: skip

PREDICATES: dict[str, Predicate] = {row.kind: row for row in _ROWS}

EXCLUSIVE = frozenset(
    frozenset(pair)
    for pair in (
        ("count", "parity"), ("sorted", "before"), ("sorted", "follows"), ("unique", "twice"),
    )
)  # fmt: skip
"""Kinds that never meet: one would decide the other, or no list would satisfy both."""


@functools.cache
def parameter_values(kind: str) -> tuple[Params, ...]:
    """All parameter tuples of predicate `kind`, in a fixed order."""
    values: dict[ParamKind, tuple[Params, ...]] = {
        "none": ((),),
        "symbol": tuple((x,) for x in ALPHABET),
        "pair": tuple((x, y) for x in ALPHABET for y in ALPHABET if x != y),
        "place": tuple((n, x) for n in ORDINALS for x in ALPHABET),
        "count": tuple((n,) for n in NUMBERS),
        "order": tuple((d,) for d in ORDERS),
        "parity": (("even",), ("odd",)),
    }
    return values[PREDICATES[kind].params]


def named_symbols(kind: str, params: Params) -> Symbols:
    """The letters among the parameters."""
    return tuple(x for x in params if x in ALPHABET)


def phrase(kind: str, params: Params, wording: int, *, digits: bool = False) -> str:
    """One English wording of a constraint; `wording` counts modulo the number of wordings."""
    row = PREDICATES[kind]
    template = row.wordings[wording % len(row.wordings)]
    words = dict(zip("xy", named_symbols(kind, params), strict=False))
    if row.params == "place":
        words["o"] = ORDINALS[params[0]]
    elif row.params == "count":
        words["n"] = params[0] if digits else NUMBERS[params[0]]
    elif row.params == "order":
        words["d"] = ORDERS[params[0]][wording % 2]
    elif row.params == "parity":
        words["d"] = params[0]
    return template.format(**words)


def note(kind: str, params: Params) -> str:
    """How a worked answer notes the constraint: a few fixed words."""
    words = dict(zip("xy", named_symbols(kind, params), strict=False))
    own = {"n": params[0], "d": params[0]} if params else {}
    return PREDICATES[kind].note.format(**own, **words)
