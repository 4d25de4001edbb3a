"""Requests of the world of functions: nested calls by name, in three notations.

A request never says what a function does. `blim ( dax ( b c ) )`, `blim of dax of b c` and
`b c after dax, then blim` are the same call.
"""

import random
from typing import Literal

from ..string_skills.primitives import Symbols
from .spec import Chain

Wording = Literal["seen", "unseen"]

_FRAMES: dict[Wording, tuple[str, ...]] = {
    "seen": ("what is {c}?", "give {c}", "find {c}", "we need {c}", "please find {c}",
             "write the result of {c}", "hello, what is {c}?", "now {c}"),
    "unseen": ("could you find {c}?", "one more: {c}", "the next one is {c}",
               "today we want {c}"),
}  # fmt: skip
NUM_NOTATIONS = 3


def call_text(chain: Chain, items: Symbols, notation: int) -> str:
    """A call in notation number `notation`, which counts modulo `NUM_NOTATIONS`."""
    given = " ".join(items)
    outer_first = chain[::-1]
    if notation % NUM_NOTATIONS == 0:
        return f"{' ( '.join(outer_first)} ( {given} {' '.join(')' * len(chain))}"
    if notation % NUM_NOTATIONS == 1:
        return f"{' of '.join(outer_first)} of {given}"
    return f"{given} after {', then '.join(chain)}"


def request_text(
    chain: Chain, items: Symbols, rng: random.Random, *, wording: Wording = "seen"
) -> str:
    """What a user writes; `unseen` wording uses frames that no training request has."""
    call = call_text(chain, items, rng.randrange(NUM_NOTATIONS))
    return rng.choice(_FRAMES[wording]).format(c=call)
