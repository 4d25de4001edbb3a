"""What may be asked of a table: recall, change one code, combine two. Pure.

Each manipulation is one row: how many facts it needs, what it makes of them, and how a request
says it. Operations on codes are those of the string world. To add one, add a row; the words must
stand in the tokenizer's vocabulary. Nothing here is a yes or a no: a comparison is answered by
the entity with its code, so that a guess hardly ever passes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..string_skills.primitives import PRIMITIVES, Params, Symbols

Fact = tuple[str, Symbols]
"""An entity and its code."""


@dataclass(frozen=True)
class Manipulation:
    """One way to ask. `phrases` speak of `{a}` and `{b}`, or of a code `{k}`."""

    name: str
    level: int
    apply: Callable[[Sequence[Fact]], Symbols]
    phrases: tuple[str, ...]
    compares: bool = False
    """Asks of two codes of unequal length."""

    @property
    def num_facts(self) -> int:
        return 2 if self.level == 3 else 1

    @property
    def shows_codes(self) -> bool:
        """Whether a worked answer first writes down the codes."""
        return "{k}" not in self.phrases[0] and self.level > 1

    def fits(self, facts: Sequence[Fact]) -> bool:
        """Whether these facts can be asked for so."""
        return not self.compares or len(facts[0][1]) != len(facts[1][1])


def _string(kind: str, params: Params = ()) -> Callable[[Sequence[Fact]], Symbols]:
    """An operation of the string world on the code of the only fact."""
    return lambda facts: PRIMITIVES[kind].apply(facts[0][1], params)


def _with_code(facts: Sequence[Fact], index: int) -> Symbols:
    return (facts[index][0], *facts[index][1])


def _longer(facts: Sequence[Fact]) -> Symbols:
    return _with_code(facts, int(len(facts[1][1]) > len(facts[0][1])))


def _shorter(facts: Sequence[Fact]) -> Symbols:
    return _with_code(facts, int(len(facts[1][1]) < len(facts[0][1])))


_ROWS = (
    Manipulation(
        "recall",
        1,
        lambda f: f[0][1],
        (
            "what is the code of the {a}?",
            "which code has the {a}?",
            "give the code of the {a}.",
            "which code belongs to the {a}?",
            "write the code of the {a}.",
            "what stands for the {a}?",
        ),
    ),
    Manipulation(
        "invert",
        2,
        lambda f: (f[0][0],),
        (
            "what has the code {k}?",
            "which one has the code {k}?",
            "find what has the code {k}.",
            "name the one with the code {k}.",
        ),
    ),
    Manipulation(
        "reverse",
        2,
        _string("reverse"),
        (
            "reverse the code of the {a}.",
            "write the code of the {a} in opposite order.",
            "read the code of the {a} from back to front.",
            "turn the code of the {a} around.",
        ),
    ),
    Manipulation(
        "first",
        2,
        lambda f: f[0][1][:1],
        (
            "what is the first symbol in the code of the {a}?",
            "give only the first symbol of the code of the {a}.",
            "with which symbol does the code of the {a} begin?",
        ),
    ),
    Manipulation(
        "last",
        2,
        lambda f: f[0][1][-1:],
        (
            "what is the last symbol in the code of the {a}?",
            "give only the last symbol of the code of the {a}.",
            "with which symbol does the code of the {a} end?",
        ),
    ),
    Manipulation(
        "rest",
        2,
        _string("drop-first", ("1",)),
        (
            "write the code of the {a} without the first symbol.",
            "drop the first symbol of the code of the {a}.",
            "leave out the first symbol of the code of the {a}.",
        ),
    ),
    Manipulation(
        "double",
        2,
        _string("double"),
        (
            "write each symbol of the code of the {a} twice.",
            "double each symbol of the code of the {a}.",
            "say every symbol of the code of the {a} two times.",
        ),
    ),
    Manipulation(
        "rotate",
        2,
        _string("rotate-left", ("1",)),
        (
            "move the first symbol of the code of the {a} to the end.",
            "take the first symbol of the code of the {a} and put it at the back.",
        ),
    ),
    Manipulation(
        "length",
        2,
        lambda f: (*f[0][1], str(len(f[0][1]))),
        (
            "write the code of the {a} and its length.",
            "what is the code of the {a}, and its length?",
            "give the code of the {a}, then its length.",
        ),
    ),
    Manipulation(
        "join",
        3,
        lambda f: f[0][1] + f[1][1],
        (
            "write the code of the {a} and then the code of the {b}.",
            "put the code of the {b} behind the code of the {a}.",
            "begin with the code of the {a}, then add the code of the {b}.",
        ),
    ),
    Manipulation(
        "join-turned",
        3,
        lambda f: f[0][1] + f[1][1][::-1],
        (
            "write the code of the {a}, then the code of the {b} from back to front.",
            "reverse the code of the {b} and put it behind the code of the {a}.",
        ),
    ),
    Manipulation(
        "firsts",
        3,
        lambda f: (f[0][1][0], f[1][1][0]),
        (
            "write the first symbol of the code of the {a} and that of the {b}.",
            "with which symbol does the code of the {a} begin, and that of the {b}?",
        ),
    ),
    Manipulation(
        "lasts",
        3,
        lambda f: (f[0][1][-1], f[1][1][-1]),
        (
            "write the last symbol of the code of the {a} and that of the {b}.",
            "with which symbol does the code of the {a} end, and that of the {b}?",
        ),
    ),
    Manipulation(
        "longer",
        3,
        _longer,
        (
            "which code has the greater length, that of the {a} or that of the {b}? "
            "name it with its code.",
            "the {a} or the {b}: name the one with the long code, and its code.",
        ),
        compares=True,
    ),
    Manipulation(
        "shorter",
        3,
        _shorter,
        (
            "which code has the smaller length, that of the {a} or that of the {b}? "
            "name it with its code.",
            "the {a} or the {b}: name the one with the short code, and its code.",
        ),
        compares=True,
    ),
)

MANIPULATIONS: dict[str, Manipulation] = {row.name: row for row in _ROWS}
LEVELS = (1, 2, 3)


def of_level(level: int) -> tuple[str, ...]:
    """The names of a level's manipulations, in the table's order.

    Raises:
        ValueError: no such level.
    """
    if level not in LEVELS:
        raise ValueError(f"level {level} does not exist in facts, expected 1, 2 or 3")
    return tuple(row.name for row in _ROWS if row.level == level)
