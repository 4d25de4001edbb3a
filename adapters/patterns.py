"""Regular expressions of strangers: read, and bounded before they may run. Pure.

PEFT and vLLM match the patterns of a config against every module name with a backtracking engine,
so a pattern of ten characters can hold a server for ever. Owns a reader for the part of Python's
syntax that configs use, and `worst_steps`: the size of the whole tree that backtracking could
search, computed without searching it (each place in pattern and name is counted once). Patterns
that it cannot read are refused, not guessed at. Refuses to own what a pattern selects
(`peft_config.py`). To admit more syntax: one branch in `_Reader`, and a case in the parity test.
"""

import re
import string
from functools import lru_cache
from typing import Literal, NamedTuple

_ALPHABET = frozenset(string.ascii_letters + string.digits + "_-.")
"""The characters of a module name; `peft_header.py` refuses others."""
_DIGITS = frozenset(string.digits)
_WORD = frozenset(string.ascii_letters + string.digits + "_")
_SETS = {
    "d": _DIGITS,
    "D": _ALPHABET - _DIGITS,
    "w": _WORD,
    "W": _ALPHABET - _WORD,
    "s": frozenset[str](),
    "S": _ALPHABET,
}
_MAX_CHARS = 2048
_MAX_STEPS = 8192
_MAX_REPEAT = 64
_MAX_DEPTH = 24
_OPEN = -1


class Unreadable(ValueError):
    """A pattern outside the syntax that we read, or never cheap; the text says what was met."""


class Step(NamedTuple):
    """One instruction: `take` a character, go on `at` a place, `fork`, or be `done`."""

    kind: Literal["take", "at", "fork", "done"]
    then: tuple[int, ...] = ()
    chars: frozenset[str] = frozenset()
    sign: str = ""


Program = tuple[tuple[Step, ...], int]
"""Steps, and the index of the first one."""


@lru_cache(maxsize=2048)
def read_pattern(pattern: str) -> Program:
    """Turn a pattern into steps.

    Raises:
        Unreadable: syntax that we do not read (back references, flags, possessive repeats ...), a
            repeat inside a repeat, a pattern that `re` does not take, or one that is too long.
    """
    if len(pattern) > _MAX_CHARS:
        raise Unreadable(f"it has {len(pattern)} characters: at most {_MAX_CHARS}")
    node = _Reader(pattern).whole()
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as err:
        raise Unreadable(str(err)) from err
    steps = [Step("done")]
    first = _build(node, 0, steps)
    return tuple(steps), first


def worst_steps(program: Program, text: str, limit: int) -> int:
    """How many steps a backtracking matcher may take on `text` at most; `limit + 1` for more.

    Raises:
        Unreadable: the pattern can repeat nothing for ever.
    """
    steps, first = program
    known: dict[tuple[int, int], int] = {}
    stack = [(first, 0)]
    while stack and len(known) <= limit:
        place = stack[-1]
        following = _following(steps[place[0]], text, place[1]) if known.get(place, 0) <= 0 else []
        unknown = [p for p in following if known.get(p, 0) <= 0]
        if unknown:
            known[place] = _OPEN
            if any(known.get(p) == _OPEN for p in unknown):
                raise Unreadable("it can repeat an empty match for ever")
            stack += unknown
            continue
        if known.get(place, 0) <= 0:
            known[place] = min(limit + 1, 1 + sum(known[p] for p in following))
        stack.pop()
    return known[first, 0] if not stack else limit + 1


def _following(step: Step, text: str, position: int) -> list[tuple[int, int]]:
    if step.kind == "take":
        ok = position < len(text) and text[position] in step.chars
        return [(step.then[0], position + 1)] if ok else []
    if step.kind == "at" and not _holds(step.sign, text, position):
        return []
    return [(target, position) for target in step.then]


def _holds(sign: str, text: str, position: int) -> bool:
    if sign == "^":
        return position == 0
    if sign == "$":
        return position == len(text)
    before = position > 0 and text[position - 1] in _WORD
    after = position < len(text) and text[position] in _WORD
    return (before != after) == (sign == "b")


class _Chars(NamedTuple):
    chars: frozenset[str]


class _At(NamedTuple):
    sign: str


class _Row(NamedTuple):
    parts: "tuple[_Node, ...]"


class _Either(NamedTuple):
    ways: "tuple[_Node, ...]"


class _Repeat(NamedTuple):
    body: "_Node"
    low: int
    high: int | None


class _Look(NamedTuple):
    body: "_Node"


_Node = _Chars | _At | _Row | _Either | _Repeat | _Look


def _build(node: _Node, after: int, steps: list[Step]) -> int:
    """Append the steps of a node that go on at `after`; returns where they begin."""
    match node:
        case _Chars(chars):
            return _add(steps, Step("take", (after,), chars))
        case _At(sign):
            return _add(steps, Step("at", (after,), sign=sign))
        case _Row(parts):
            for part in reversed(parts):
                after = _build(part, after, steps)
            return after
        case _Either(ways):
            return _add(steps, Step("fork", tuple(_build(way, after, steps) for way in ways)))
        case _Look(body):  # it runs its own steps, whatever comes of them, and then the rest
            return _add(steps, Step("fork", (_build(body, 0, steps), after)))
        case _Repeat(body, low, high):
            return _build_repeat(body, low, high, after, steps)


def _build_repeat(body: _Node, low: int, high: int | None, after: int, steps: list[Step]) -> int:
    entry = after
    if high is None:
        entry = _add(steps, Step("fork"))
        steps[entry] = Step("fork", (_build(body, entry, steps), after))
    else:
        for _ in range(high - low):
            entry = _add(steps, Step("fork", (_build(body, entry, steps), after)))
    for _ in range(low):
        entry = _build(body, entry, steps)
    return entry


def _add(steps: list[Step], step: Step) -> int:
    if len(steps) >= _MAX_STEPS:
        raise Unreadable(f"it comes to more than {_MAX_STEPS} steps")
    steps.append(step)
    return len(steps) - 1


def _repeats_for_ever(node: _Node) -> bool:
    match node:
        case _Row(parts) | _Either(parts):
            return any(_repeats_for_ever(part) for part in parts)
        case _Repeat(body, _, high):
            return high is None or _repeats_for_ever(body)
        case _Look(body):
            return _repeats_for_ever(body)
        case _:
            return False


class _Reader:
    """Recursive descent over one pattern."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._place = 0
        self._depth = 0

    def whole(self) -> _Node:
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

    def _either(self) -> _Node:
        ways = [self._row()]
        while self._took("|"):
            ways.append(self._row())
        return ways[0] if len(ways) == 1 else _Either(tuple(ways))

    def _row(self) -> _Node:
        parts: list[_Node] = []
        while self._peek() not in {"", "|", ")"}:
            parts.append(self._repeated(self._atom()))
        return _Row(tuple(parts))

    def _atom(self) -> _Node:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return _Chars(self._klass())
        if char == "\\":
            return self._escape()
        if char in "^$":
            return _At(char)
        if char in "*+?{":
            raise Unreadable(f"{char!r} stands where nothing is to be repeated")
        return _Chars(_ALPHABET if char == "." else frozenset(char))

    def _group(self) -> _Node:
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
        return _Look(node) if look else node

    def _escape(self) -> _Node:
        char = self._next()
        if char in "bB":
            return _At(char)
        return _Chars(_escaped(char))

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
        return _ALPHABET - chars if negated else frozenset(chars)

    def _repeated(self, node: _Node) -> _Node:
        char = self._peek()
        bounds = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(char)
        if bounds is not None:
            self._place += 1
        elif char == "{":
            bounds = self._bounds()
        else:
            return node
        if isinstance(node, _At | _Look) or (bounds[1] is None and _repeats_for_ever(node)):
            raise Unreadable("a repeat inside a repeat, or of a place")
        self._took("?")  # lazy: the same tree in another order
        if self._peek() in {"*", "+", "?", "{"}:
            raise Unreadable("a repeat of a repeat, or a possessive one")
        return _Repeat(node, *bounds)

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
