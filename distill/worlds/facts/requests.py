"""Requests of the world of facts: a manipulation of entities in words, never a table's name."""

import random
from collections.abc import Sequence
from typing import Literal

from .manipulations import MANIPULATIONS, Fact

Wording = Literal["seen", "unseen"]

_OPENINGS: dict[Wording, tuple[str, ...]] = {
    "seen": ("", "hello, ", "now: ", "next: ", "a question: ", "here is the next one: ",
             "please: ", "for today: "),
    "unseen": ("one more for you: ", "this is the last one: ", "before we go: ",
               "could you do this? "),
}  # fmt: skip
_ENDS = ("", " thanks.", " thank you.", " be exact.", " please.")


def question(manipulation: str, facts: Sequence[Fact], phrase: int) -> str:
    """One wording of a manipulation of facts; `phrase` counts modulo the number of wordings."""
    phrases = MANIPULATIONS[manipulation].phrases
    return phrases[phrase % len(phrases)].format(
        a=facts[0][0], b=facts[-1][0], k=" ".join(facts[0][1])
    )


def request_text(
    manipulation: str, facts: Sequence[Fact], rng: random.Random, *, wording: Wording = "seen"
) -> str:
    """What a user writes; `unseen` wording opens as no training request does."""
    asked = question(manipulation, facts, rng.randrange(12))
    return f"{rng.choice(_OPENINGS[wording])}{asked}{rng.choice(_ENDS)}"


def draw_asked(manipulation: str, facts: Sequence[Fact], rng: random.Random) -> tuple[Fact, ...]:
    """The facts that a request asks for, in its order: one or two of the table."""
    row = MANIPULATIONS[manipulation]
    while True:
        asked = tuple(rng.sample(facts, row.num_facts))
        if row.fits(asked):
            return asked
