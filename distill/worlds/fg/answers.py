"""Worked answers of the world of functions, and what went wrong in one. Pure.

An answer says what each function does by the definitions, with the list after it, innermost
first, and ends with the final line, which alone is scored. So finding a definition and following
it are two steps that stand one after the other. Model text is read as text and never run.
"""

import re
from collections.abc import Sequence
from typing import Literal

from ..string_skills.answers import FINAL, score
from ..string_skills.primitives import Symbols
from ..string_skills.spec import Operation
from .spec import Chain

Failure = Literal["none", "form", "composition", "order", "function"]
_STEP = re.compile(r"(?!final\b)([a-z]+)(?: =(?: [a-z0-9-]{1,20}){1,3})? ?:((?: [a-z]){0,64})")


def step(name: str, operation: Operation, state: Symbols) -> str:
    """One line of an answer: `dax = drop-first 1: c b`."""
    return f"{name} = {' '.join((operation.kind, *operation.params))}: {' '.join(state)}".rstrip()


def worked_answer(chain: Chain, operations: Sequence[Operation], states: Sequence[Symbols]) -> str:
    """The reference answer to a call: a line for each function, then the final line."""
    lines = [step(*row) for row in zip(chain, operations, states, strict=True)]
    return "\n".join([*lines, f"{FINAL} {' '.join(states[-1])}"])


def answer_words(operations: Sequence[Operation], states: Sequence[Symbols]) -> int:
    """The length of a worked answer, in words, marks and line ends."""
    said = sum(operation.kind.count("-") * 2 + len(operation.params) for operation in operations)
    return said + sum(len(state) + 5 for state in states) + len(states[-1]) + 2


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
