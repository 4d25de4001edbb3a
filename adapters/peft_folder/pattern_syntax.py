"""The part of Python's regular expressions that configs use, read into a tree. Pure.

Owns the syntax. What it does not know (back references, flags, look-behind, possessive repeats ...)
is refused, and so is a repeat inside a repeat. Refuses to own what a pattern may cost
(`patterns.py`). To admit more: one branch in `_Reader`, and an atom in the parity test.
"""

import re
import string
from typing import NamedTuple

ALPHABET = frozenset(string.ascii_letters + string.digits + "_-.")
"""The characters of a module name; `header.py` refuses others."""
_DIGITS = frozenset(string.digits)
WORD = frozenset(string.ascii_letters + string.digits + "_")
_SETS = {
    "d": _DIGITS,
    "D": ALPHABET - _DIGITS,
    "w": WORD,
    "W": ALPHABET - WORD,
    "s": frozenset[str](),
    "S": ALPHABET,
}
_MAX_REPEAT = 64
_MAX_DEPTH = 24


class Unreadable(ValueError):
    """A pattern outside the syntax that we read, or never cheap; the text says what was met."""


class Chars(NamedTuple):
    chars: frozenset[str]


class At(NamedTuple):
    sign: str


class Row(NamedTuple):
    parts: "tuple[Node, ...]"


class Either(NamedTuple):
    ways: "tuple[Node, ...]"


class Repeat(NamedTuple):
    body: "Node"
    low: int
    high: int | None


class Look(NamedTuple):
    body: "Node"


Node = Chars | At | Row | Either | Repeat | Look


def read_syntax(pattern: str) -> Node:
    """The tree of a pattern.

    Raises:
        Unreadable: syntax that we do not read.
    """
    return _Reader(pattern).whole()


def _repeats_for_ever(node: Node) -> bool:
    match node:
        case Row(parts) | Either(parts):
            return any(_repeats_for_ever(part) for part in parts)
        case Repeat(body, _, high):
            return high is None or _repeats_for_ever(body)
        case Look(body):
            return _repeats_for_ever(body)
        case _:
            return False


class _Reader:
    """Recursive descent over one pattern."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._place = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._either()
        if self._place < len(self._text):
            raise Unreadable("it closes a group that was not opened")
        return node

    def _peek(self) -> str:
        return self._text[self._place : self._place + 1]

    def _next(self) -> str:
        char = self._peek()
        if not char:
            raise Unreadable("it ends in the middle")
        self._place += 1
        return char

    def _took(self, text: str) -> bool:
        found = self._text.startswith(text, self._place)
        self._place += len(text) if found else 0
        return found

    def _either(self) -> Node:
        ways = [self._row()]
        while self._took("|"):
            ways.append(self._row())
        return ways[0] if len(ways) == 1 else Either(tuple(ways))

    def _row(self) -> Node:
        parts: list[Node] = []
        while self._peek() not in {"", "|", ")"}:
            parts.append(self._repeated(self._atom()))
        return Row(tuple(parts))

    def _atom(self) -> Node:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return Chars(self._klass())
        if char == "\\":
            return self._escape()
        if char in "^$":
            return At(char)
        if char in "*+?{":
            raise Unreadable(f"{char!r} stands where nothing is to be repeated")
        return Chars(ALPHABET if char == "." else frozenset(char))

    def _group(self) -> Node:
        look = self._took("?=") or self._took("?!")
        if not look and not self._took("?:") and self._peek() == "?":
            raise Unreadable("groups other than (...), (?:...), (?=...) and (?!...)")
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Unreadable(f"groups nested more than {_MAX_DEPTH} deep")
        node = self._either()
        if not self._took(")"):
            raise Unreadable("a group is not closed")
        self._depth -= 1
        return Look(node) if look else node

    def _escape(self) -> Node:
        char = self._next()
        if char in "bB":
            return At(char)
        return Chars(_escaped(char))

    def _klass(self) -> frozenset[str]:
        negated = self._took("^")
        chars: set[str] = set()
        while (char := self._next()) != "]" or not chars:
            if char in "[&~|" or self._peek() == "":
                raise Unreadable("an odd character class")
            if char == "\\":
                chars |= _escaped(self._next())
            elif self._peek() == "-" and self._text[self._place + 1 : self._place + 2] != "]":
                self._place += 1
                chars |= _span(char, self._next())
            else:
                chars.add(char)
        return ALPHABET - chars if negated else frozenset(chars)

    def _repeated(self, node: Node) -> Node:
        char = self._peek()
        bounds = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(char)
        if bounds is not None:
            self._place += 1
        elif char == "{":
            bounds = self._bounds()
        else:
            return node
        if isinstance(node, At | Look) or (bounds[1] is None and _repeats_for_ever(node)):
            raise Unreadable("a repeat inside a repeat, or of a place")
        self._took("?")  # lazy: the same tree in another order
        if self._peek() in {"*", "+", "?", "{"}:
            raise Unreadable("a repeat of a repeat, or a possessive one")
        return Repeat(node, *bounds)

    def _bounds(self) -> tuple[int, int | None]:
        found = re.compile(r"\{(\d{1,3})(,?)(\d{0,3})\}").match(self._text, self._place)
        if found is None:
            raise Unreadable("an odd repeat in braces")
        self._place = found.end()
        low = int(found[1])
        high = int(found[3]) if found[3] else None if found[2] else low
        if max(low, high or 0) > _MAX_REPEAT or (high is not None and high < low):
            raise Unreadable(f"more than {_MAX_REPEAT} repeats, or less than none")
        return low, high


def _escaped(char: str) -> frozenset[str]:
    if char in _SETS:
        return _SETS[char]
    if char.isalnum() or not char.isascii():
        raise Unreadable(f"the escape \\{char}")
    return frozenset(char)


def _span(first: str, last: str) -> frozenset[str]:
    if not (first.isascii() and last.isascii()) or last == "\\" or first > last:
        raise Unreadable("an odd range of characters")
    return frozenset(map(chr, range(ord(first), ord(last) + 1)))
