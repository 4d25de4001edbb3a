"""Worked answers of the world of functions, and what went wrong in one. Pure.

An answer names each function with the list after it, innermost first, and ends with the final
line, which alone is scored. Model text is read as text and never run.
"""

import re
from collections.abc import Sequence
from typing import Literal

from ..string_skills.answers import FINAL, score
from ..string_skills.primitives import Symbols
from .spec import Chain

Failure = Literal["none", "form", "composition", "order", "function"]
_STEP = re.compile(r"\d+ ([a-z]+):((?: [a-z]){0,64})")


def worked_answer(chain: Chain, states: Sequence[Symbols]) -> str:
    """The reference answer to a call: `1 dax: c b`, and so on, then the final line."""
    lines = [
        f"{i} {name}: {' '.join(state)}"
        for i, (name, state) in enumerate(zip(chain, states, strict=True), 1)
    ]
    return "\n".join([*lines, f"{FINAL} {' '.join(states[-1])}"])


def answer_words(states: Sequence[Symbols]) -> int:
    """The length of a worked answer, in words, marks and line ends."""
    return sum(len(state) + 4 for state in states) + len(states[-1]) + 2


def trace(text: str) -> tuple[tuple[str, Symbols], ...]:
    """The functions that an answer says it applied, each with the list after it."""
    found = (_STEP.fullmatch(line.strip()) for line in text.splitlines())
    return tuple((match[1], tuple(match[2].split())) for match in found if match)


def failure(chain: Chain, expected: str, text: str) -> Failure:
    """Where an answer to a call went wrong, by the names that it says it applied.

    `form`: no single final line, or no step. `composition`: other functions than those of the
    call, or not as often. `order`: these functions in another order. `function`: the right
    functions in the right order, so one of them was not done rightly.
    """
    verdict = score(text, expected)
    if verdict.passed:
        return "none"
    names = tuple(name for name, _ in trace(text))
    finals = sum(line.strip().startswith(FINAL) for line in text.splitlines())
    if not names or finals != 1:
        return "form"
    if sorted(names) != sorted(chain):
        return "composition"
    return "function" if names == chain else "order"
