"""Requests of the string world: the trigger's meaning and a list, never a name or a procedure."""

import random
from typing import Literal

from .primitives import ALPHABET, Symbols
from .spec import SkillSpec
from .topics import TOPICS

Wording = Literal["seen", "unseen"]

MAX_TRIES = 10_000
"""Draws in a row that may fail before a procedure is refused."""

_FRAMES: dict[Wording, tuple[str, ...]] = {
    "seen": (
        "for the {a}: {x}", "we bring this to the {a}: {x}", "the {a} and the {b} need: {x}",
        "here is my list for the {a}: {x}", "please prepare for the {a}: {x}", "{a} list: {x}",
    ),
    "unseen": (
        "the {a} is waiting, we have the {b}: {x}",
        "could you look at this for the {a} and the {b}? {x}",
        "the {a} and the {b} came up, items: {x}",
        "next comes the {a} with the {b}: {x}",
    ),
}  # fmt: skip


def random_items(spec: SkillSpec, rng: random.Random) -> Symbols:
    """A list of 4 to 6 symbols on which every operation leaves 1 to 13 symbols.

    A step that looks for a symbol (`replace`, `remove`, `insert-after`) usually finds it; in about
    one request in seven it does not, and changes nothing.

    Raises:
        ValueError: the procedure leaves no such list, or hardly ever.
    """
    wanted = [
        op.params[0] for op in spec.operations if op.kind in ("replace", "remove", "insert-after")
    ]
    for _ in range(MAX_TRIES):
        items = rng.sample(ALPHABET, rng.randint(4, 6))
        for symbol in wanted:
            if symbol not in items and rng.random() < 0.8:
                items[rng.randrange(len(items))] = symbol
        if rng.random() < 0.15:
            items[rng.randrange(len(items))] = rng.choice(items)
        states = spec.states(tuple(items))
        if all(states) and all(len(state) <= 13 for state in states):
            return tuple(items)
    raise ValueError(
        f"{spec.to_json()} leaves between 1 and 13 symbols after every step of none of "
        f"{MAX_TRIES} lists of 4 to 6 symbols; use fewer steps that grow or shrink the list"
    )


def request_text(
    spec: SkillSpec, items: Symbols, rng: random.Random, *, wording: Wording = "seen"
) -> str:
    """What a user writes.

    `unseen` wording uses frames that no training request has, and beside one word of the topic
    that training requests have, one that they never have.
    """
    topic = TOPICS[spec.topic]
    known, new = topic.told + topic.untold[:2], topic.untold[2:]
    a, b = rng.sample(known, 2)
    if wording == "unseen":
        a, b = rng.sample((a, rng.choice(new)), 2)
    return rng.choice(_FRAMES[wording]).format(a=a, b=b, x=" ".join(items))
