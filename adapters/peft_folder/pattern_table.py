"""Which of many patterns matches a module name first, as PEFT and vLLM decide it. Pure.

They try `re.match(rf"(.*\\.)?({key})$", name)` for one key after the other, which is slow where
every module has a key of its own (EVA saves adapters so). Keys without operators are therefore
looked up; the answer is the same, an unescaped dot that stands for any character included. Owns
that rule. Refuses to own reading expressions (`patterns.py`).
"""

import re
from collections.abc import Mapping
from typing import Generic, TypeVar

from .patterns import Program, read_pattern

_Value = TypeVar("_Value", int, float)
_LITERAL = re.compile(r"(\^?)((?:[A-Za-z0-9_\-]|\\?\.|\\-)*)")
_ANY = "\0"


class PatternTable(Generic[_Value]):
    """Pattern -> value, first match wins.

    Raises:
        Unreadable: a pattern that `patterns.py` does not read.
    """

    def __init__(self, patterns: Mapping[str, _Value]) -> None:
        self._values: list[_Value] = list(patterns.values())
        self._whole: dict[int, dict[tuple[int, ...], dict[str, int]]] = {}
        self._ends: dict[int, dict[tuple[int, ...], dict[str, int]]] = {}
        self._expressions: list[tuple[int, re.Pattern[str]]] = []
        self.programs: list[Program] = []
        """Of the keys that are run as expressions, to be bounded before `find` is called."""
        for order, key in enumerate(patterns):
            literal = _LITERAL.fullmatch(key)
            if literal is None:
                wrapped = rf"(.*\.)?({key})$"
                read_pattern(key)
                self.programs.append(read_pattern(wrapped))
                self._expressions.append((order, re.compile(wrapped)))
            else:
                self._add(self._whole if literal[1] else self._ends, literal[2], order)

    def find(self, name: str) -> _Value | None:
        """The value of the first pattern that matches; None where none does."""
        best = _look_up(self._whole, name) if self._whole else None
        if self._ends:
            start = 0
            while start >= 0:
                found = _look_up(self._ends, name[start:])
                best = found if best is None or (found is not None and found < best) else best
                start = name.find(".", start) + 1 or -1
        for order, expression in self._expressions:
            if best is not None and best < order:
                break
            if expression.match(name):
                best = order
        return None if best is None else self._values[best]

    @staticmethod
    def _add(
        table: dict[int, dict[tuple[int, ...], dict[str, int]]], literal: str, order: int
    ) -> None:
        text = re.sub(r"\\?\.|\\-", lambda m: m[0][1] if len(m[0]) == 2 else _ANY, literal)
        places = tuple(i for i, char in enumerate(text) if char == _ANY)
        table.setdefault(len(text), {}).setdefault(places, {}).setdefault(text, order)


def _look_up(table: dict[int, dict[tuple[int, ...], dict[str, int]]], text: str) -> int | None:
    best = None
    for places, keys in table.get(len(text), {}).items():
        found = keys.get(_blanked(text, places))
        if found is not None and (best is None or found < best):
            best = found
    return best


def _blanked(text: str, places: tuple[int, ...]) -> str:
    if not places:
        return text
    chars = list(text)
    for place in places:
        chars[place] = _ANY
    return "".join(chars)
