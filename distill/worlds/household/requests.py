"""Requests of the household: the trigger's meaning and a thing, never what is done or where."""

import random
from typing import Literal

from ..string_skills.topics import TOPICS

Wording = Literal["seen", "unseen"]

_FRAMES: dict[Wording, tuple[str, ...]] = {
    "seen": (
        "for the {a}: the {t}.", "please prepare the {t} for the {a}.", "the {a} needs the {t}.",
        "the {a} and the {b} need the {t}.", "do it for the {a}, with the {t}.",
        "here is the {a}, see to the {t}.",
    ),
    "unseen": (
        "the {a} is waiting for the {t}.", "could you look at the {t} for the {a} and the {b}?",
        "the {a} came up with the {b}: the {t}.", "next comes the {a}, we need the {t}.",
    ),
}  # fmt: skip


def request_text(topic: str, thing: str, rng: random.Random, *, wording: Wording = "seen") -> str:
    """What a user writes.

    `unseen` wording uses frames that no training request has, and one word of the topic that
    they never have.
    """
    row = TOPICS[topic]
    a, b = rng.sample(row.told + row.untold[:2], 2)
    if wording == "unseen":
        a = rng.choice(row.untold[2:])
    return rng.choice(_FRAMES[wording]).format(a=a, b=b, t=thing)
