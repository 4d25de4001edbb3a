"""Regular expressions of strangers: bounded before they may run. Pure.

PEFT and vLLM match the patterns of a config against every module name with a backtracking engine,
so a pattern of ten characters can hold a server for ever. Owns `worst_steps`: the size of the
whole tree that backtracking could search, computed without searching it (each place in pattern
and name is counted once). Refuses to own the syntax (`pattern_syntax.py`) and what a pattern
selects (`config.py`).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from .pattern_syntax import (
    ALPHABET,
    WORD,
    At,
    Chars,
    Either,
    Look,
    Node,
    Repeat,
    Row,
    Unreadable,
    read_syntax,
)

_MAX_CHARS = 2048
_MAX_STEPS = 8192
_OPEN = -1


class Step(NamedTuple):
    """One instruction: `take` a character, go on `at` a place, `fork`, or be `done`."""

    kind: Literal["take", "at", "fork", "done"]
    then: tuple[int, ...] = ()
    chars: frozenset[str] = frozenset()
    sign: str = ""


class Program(NamedTuple):
    """Steps, the index of the first one, and one letter for each group of letters.

    `letters` (for `str.translate`) puts one letter for all that every step takes alike: names that
    become equal by it (layers 0 to 9 under a pattern with `[0-9]+`) take equally many steps.
    """

    steps: tuple[Step, ...]
    first: int
    letters: Mapping[int, str]


@lru_cache(maxsize=2048)
def read_pattern(pattern: str) -> Program:
    """Turn a pattern into steps.

    Raises:
        Unreadable: syntax that we do not read (back references, flags, possessive repeats ...), a
            repeat inside a repeat, a pattern that `re` does not take, or one that is too long.
    """
    if len(pattern) > _MAX_CHARS:
        raise Unreadable(f"it has {len(pattern)} characters: at most {_MAX_CHARS}")
    node = read_syntax(pattern)
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as err:
        raise Unreadable(str(err)) from err
    steps = [Step("done")]
    first = _build(node, 0, steps)
    return Program(tuple(steps), first, _letters(steps))


def worst_steps(program: Program, text: str, limit: int) -> int:
    """How many steps a backtracking matcher may take on `text` at most; `limit + 1` for more.

    Raises:
        Unreadable: the pattern can repeat nothing for ever.
    """
    steps, first = program.steps, program.first
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


def _letters(steps: list[Step]) -> dict[int, str]:
    classes = {WORD, *(step.chars for step in steps)}
    first_of: dict[tuple[bool, ...], str] = {}
    return {
        ord(char): first_of.setdefault(tuple(char in chars for chars in classes), char)
        for char in sorted(ALPHABET)
    }


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
    before = position > 0 and text[position - 1] in WORD
    after = position < len(text) and text[position] in WORD
    return (before != after) == (sign == "b")


def _build(node: Node, after: int, steps: list[Step]) -> int:
    """Append the steps of a node that go on at `after`; returns where they begin."""
    match node:
        case Chars(chars):
            return _add(steps, Step("take", (after,), chars))
        case At(sign):
            return _add(steps, Step("at", (after,), sign=sign))
        case Row(parts):
            for part in reversed(parts):
                after = _build(part, after, steps)
            return after
        case Either(ways):
            return _add(steps, Step("fork", tuple(_build(way, after, steps) for way in ways)))
        case Look(body):  # it runs its own steps, whatever comes of them, and then the rest
            return _add(steps, Step("fork", (_build(body, 0, steps), after)))
        case Repeat(body, low, high):
            return _build_repeat(body, low, high, after, steps)


def _build_repeat(body: Node, low: int, high: int | None, after: int, steps: list[Step]) -> int:
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
