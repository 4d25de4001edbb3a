"""The primitive operations on symbol lists, with their parameters and wordings.

Pure. Each primitive is one row: how it acts on a tuple of symbols, which parameters it takes, and
how a skill text may say it. To add one, add a row to `PRIMITIVES`; the held-out rule, the texts
and the verifiers follow from the table. The words must stay in the tokenizer's vocabulary, so a
new wording after the base was trained is a new edition of the base.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Symbols = tuple[str, ...]
Params = tuple[str, ...]

ALPHABET: Symbols = tuple("bcdfghjklmnpqrst")
"""The symbols that lists are made of: no letter that is an English word."""

ORDINALS = {"1": "first", "2": "second", "3": "third"}
NUMBERS = {"1": "one", "2": "two", "3": "three"}

ParamKind = Literal["none", "count", "shift", "short", "start", "symbol", "pair", "place", "order"]


@dataclass(frozen=True)
class Primitive:
    """One operation. `grows`/`shrinks` bound how often it may stand in one skill."""

    kind: str
    params: ParamKind
    apply: Callable[[Symbols, Params], Symbols]
    wordings: tuple[str, ...]
    grows: bool = False
    shrinks: bool = False


def _swap_pairs(items: Symbols) -> Symbols:
    out = list(items)
    for left in range(0, len(out) - 1, 2):
        out[left], out[left + 1] = out[left + 1], out[left]
    return tuple(out)


def _swap_ends(items: Symbols) -> Symbols:
    return items if len(items) < 2 else (items[-1], *items[1:-1], items[0])


def _rotate(items: Symbols, shift: int) -> Symbols:
    shift %= max(len(items), 1)
    return items[shift:] + items[:shift]


def _set_place(items: Symbols, place: int, symbol: str) -> Symbols:
    if place > len(items):
        return items
    return (*items[: place - 1], symbol, *items[place:])


def _insert_after(items: Symbols, anchor: str, symbol: str) -> Symbols:
    return tuple(s for item in items for s in ((item, symbol) if item == anchor else (item,)))


_ROWS: tuple[Primitive, ...] = (
    Primitive(
        "reverse",
        "none",
        lambda s, p: s[::-1],
        (
            "reverse the items",
            "turn the list around",
            "put the items in opposite order",
            "read the list from back to front",
        ),
    ),
    Primitive(
        "rotate-left",
        "shift",
        lambda s, p: _rotate(s, int(p[0])),
        (
            "rotate the list left by {n}",
            "shift the items {n} to the left, those that fall off go to the end",
            "move the first {n} to the end",
            "take {n} from the front and put them at the back",
        ),
    ),
    Primitive(
        "rotate-right",
        "shift",
        lambda s, p: _rotate(s, -int(p[0])),
        (
            "rotate the list right by {n}",
            "shift the items {n} to the right, those that fall off go to the start",
            "move the last {n} to the start",
            "take {n} from the back and put them at the front",
        ),
    ),
    Primitive(
        "swap-ends",
        "none",
        lambda s, p: _swap_ends(s),
        (
            "swap the first and the last item",
            "exchange the two ends",
            "let the first and the last item trade places",
        ),
    ),
    Primitive(
        "drop-first",
        "count",
        lambda s, p: s[int(p[0]) :],
        (
            "drop the first {n}",
            "remove {n} from the front",
            "leave out the first {n}",
            "delete {n} at the start",
        ),
        shrinks=True,
    ),
    Primitive(
        "drop-last",
        "count",
        lambda s, p: s[: -int(p[0])],
        (
            "drop the last {n}",
            "remove {n} from the back",
            "leave out the last {n}",
            "delete {n} at the end",
        ),
        shrinks=True,
    ),
    Primitive(
        "keep-first",
        "short",
        lambda s, p: s[: int(p[0])],
        (
            "keep only the first {n}",
            "keep {n} from the front and forget the rest",
            "only the first {n} stay",
        ),
        shrinks=True,
    ),
    Primitive(
        "keep-last",
        "short",
        lambda s, p: s[-int(p[0]) :],
        (
            "keep only the last {n}",
            "keep {n} from the back and forget the rest",
            "only the last {n} stay",
        ),
        shrinks=True,
    ),
    Primitive(
        "replace",
        "pair",
        lambda s, p: tuple(p[1] if x == p[0] else x for x in s),
        (
            "replace every {x} by {y}",
            "change each {x} into {y}",
            "write {y} instead of {x}",
            "where there is {x} put {y}",
        ),
    ),
    Primitive(
        "remove",
        "symbol",
        lambda s, p: tuple(x for x in s if x != p[0]),
        (
            "remove every {x}",
            "leave out each {x}",
            "delete all {x}",
            "take away every {x}",
        ),
    ),
    Primitive(
        "append",
        "symbol",
        lambda s, p: (*s, p[0]),
        (
            "add {x} at the end",
            "append {x}",
            "put {x} behind the last item",
            "finish with {x}",
        ),
    ),
    Primitive(
        "prepend",
        "symbol",
        lambda s, p: (p[0], *s),
        (
            "add {x} at the start",
            "put {x} before the first item",
            "begin with {x}",
            "prepend {x}",
        ),
    ),
    Primitive(
        "double",
        "none",
        lambda s, p: tuple(x for item in s for x in (item, item)),
        (
            "double each item",
            "write every item twice in a row",
            "say each item two times",
        ),
        grows=True,
    ),
    Primitive(
        "repeat",
        "none",
        lambda s, p: s + s,
        (
            "repeat the whole list",
            "write the whole list twice",
            "put a copy of the list behind it",
        ),
        grows=True,
    ),
    Primitive(
        "swap-pairs",
        "none",
        lambda s, p: _swap_pairs(s),
        (
            "swap neighbours in pairs",
            "exchange the items pair by pair",
            "let neighbours in each pair trade places",
        ),
    ),
    Primitive(
        "every-second",
        "start",
        lambda s, p: s[int(p[0]) - 1 :: 2],
        (
            "keep every second item from the {o} on",
            "take each other item, starting with the {o}",
            "starting at the {o}, keep one and skip one",
        ),
        shrinks=True,
    ),
    Primitive(
        "mirror",
        "none",
        lambda s, p: s + s[::-1],
        (
            "add a mirror image of the list",
            "put the reversed list behind it",
            "append the items again in opposite order",
        ),
        grows=True,
    ),
    Primitive(
        "sort",
        "order",
        lambda s, p: tuple(sorted(s, reverse=p[0] == "down")),
        (
            "sort the items {d}",
            "order the items {d}",
            "arrange the items {d}",
        ),
    ),
    Primitive(
        "insert-after",
        "pair",
        lambda s, p: _insert_after(s, p[0], p[1]),
        (
            "put {y} after every {x}",
            "insert {y} behind each {x}",
            "let {y} follow every {x}",
        ),
    ),
    Primitive(
        "set-place",
        "place",
        lambda s, p: _set_place(s, int(p[0]), p[1]),
        (
            "put {x} in place of the {o} item",
            "change the {o} item into {x}",
            "the {o} item becomes {x}",
        ),
    ),
)

PRIMITIVES: dict[str, Primitive] = {row.kind: row for row in _ROWS}

_COUNTS: dict[ParamKind, tuple[str, ...]] = {
    "count": ("1", "2"), "shift": ("1", "2", "3"), "short": ("2", "3"), "start": ("1", "2"),
    "place": ("1", "2", "3"), "order": ("up", "down"),
}  # fmt: skip

_ORDER_WORDS = {"up": ("from b to t", "upwards"), "down": ("from t to b", "downwards")}


def parameter_values(kind: str) -> tuple[Params, ...]:
    """All parameter tuples of primitive `kind`, in a fixed order.

    Raises:
        KeyError: `kind` is not in `PRIMITIVES`.
    """
    params = PRIMITIVES[kind].params
    if params == "none":
        return ((),)
    if params == "symbol":
        return tuple((x,) for x in ALPHABET)
    if params == "pair":
        return tuple((x, y) for x in ALPHABET for y in ALPHABET if x != y)
    if params == "place":
        return tuple((n, x) for n in _COUNTS["place"] for x in ALPHABET)
    return tuple((value,) for value in _COUNTS[params])


def phrase(kind: str, params: Params, wording: int, *, digits: bool = False) -> str:
    """One English wording of an operation; `wording` counts modulo the number of wordings."""
    row = PRIMITIVES[kind]
    template = row.wordings[wording % len(row.wordings)]
    if row.params == "order":
        words = _ORDER_WORDS[params[0]]
        return template.format(d=words[wording % len(words)])
    if row.params == "pair":
        return template.format(x=params[0], y=params[1])
    if row.params == "symbol":
        return template.format(x=params[0])
    if row.params == "place":
        return template.format(o=ORDINALS[params[0]], x=params[1])
    if row.params == "none":
        return template
    count = params[0]
    return template.format(n=count if digits else NUMBERS[count], o=ORDINALS[count])
