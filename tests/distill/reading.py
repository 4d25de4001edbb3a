"""Reads a procedure back from a text of the string world, by its wordings alone.

An independent way from text to skill: what it finds must be what the text was made of.
"""

import re

from skillweave.distill.worlds.string_skills import Operation
from skillweave.distill.worlds.string_skills.formats import FORMATS
from skillweave.distill.worlds.string_skills.primitives import (
    PRIMITIVES,
    parameter_values,
    phrase,
)

PHRASES: dict[str, Operation] = {
    phrase(kind, params, wording, digits=digits): Operation(kind, params)
    for kind in PRIMITIVES
    for params in parameter_values(kind)
    for wording in range(12)
    for digits in (False, True)
}
FORMAT_WORDINGS: dict[str, str] = {
    wording: name for name, row in FORMATS.items() for wording in row.wordings
}


def _any_of(texts: dict[str, object]) -> re.Pattern[str]:
    longest_first = sorted(texts, key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")


_STEPS = _any_of({**PHRASES})
_FORMATS = _any_of({**FORMAT_WORDINGS})


def operations_in(text: str) -> tuple[Operation, ...]:
    """The operations that a text names, in order."""
    return tuple(PHRASES[found] for found in _STEPS.findall(text.lower()))


def formats_in(text: str) -> tuple[str, ...]:
    """The formats that a text names, in order."""
    return tuple(FORMAT_WORDINGS[found] for found in _FORMATS.findall(text.lower()))
