"""Practice in looking things up: many look-ups in one answer, over the worlds' own texts.

In a follower's answer one or two tokens tell whether the right line of the text was found, so a
model learns to find it late. Here an answer names what it looks up and says what the text has
about it, again and again. Owns these requests; texts and the rule of what is held out are the
worlds' own. No gate asks for it.
"""

import random
from collections.abc import Sequence

from ..worlds.facts.classes import CLASS_OF
from ..worlds.facts.held_out import draw_code, is_fact_held_out
from ..worlds.facts.teaching import open_spec as open_table
from ..worlds.facts.texts import skill_body as facts_body
from ..worlds.fg.answers import step
from ..worlds.fg.spec import NAMES
from ..worlds.fg.teaching import open_spec as open_functions
from ..worlds.fg.texts import authored_body
from ..worlds.fg.texts import skill_body as functions_body
from ..worlds.household.rooms import open_spec as open_home
from ..worlds.household.texts import skill_body as home_body
from ..worlds.string_skills.primitives import ALPHABET
from ..worlds.types import Message
from ..worlds.world import Teaching

LINKS = ("", "", " :", " =", " is", " has", " has the code", " maps to", " stands for")
"""What stands between a key and its value. Nothing, most often: what follows a key at once is
found first, and what follows it at some distance after that."""


def pairs(rng: random.Random) -> Teaching:
    """Words with codes behind them; the answer says some again, in the same form."""
    words = rng.sample(tuple(CLASS_OF) + NAMES, rng.randint(4, 9))
    facts = [(word, draw_open_code(word, rng)) for word in words]
    link = rng.choice(LINKS)
    end = rng.choice(("\n", "\n", ", ", ". "))
    mark = rng.choice(("- ", "* ", "the ", "- " if end == "\n" else ""))
    text = "list" + ("\n" if end == "\n" else " ")
    text += end.join(f"{mark}{word}{link} {code}" for word, code in facts)

    def draw(rng: random.Random) -> tuple[Message, ...]:
        chosen = rng.sample(facts, rng.randint(2, len(facts)))
        said = [f"- {word}{link} {code}" for word, code in chosen]
        return _exchange("say again", [word for word, _ in chosen], said)

    return Teaching(text, draw)


def draw_open_code(word: str, rng: random.Random) -> str:
    """A code that this word may have in pretraining."""
    while True:
        code = draw_code(rng, rng.choice((2, 2, 3)))
        if not is_fact_held_out(word, code):
            return " ".join(code)


def codes(rng: random.Random) -> Teaching:
    """A table; the answer gives the codes of some entities in the order asked."""
    spec = open_table(rng)

    def draw(rng: random.Random) -> tuple[Message, ...]:
        chosen = rng.sample(spec.facts, rng.randint(2, len(spec.facts)))
        said = [f"- {entity}: {' '.join(code)}" for entity, code in chosen]
        return _exchange("write the code of each", [entity for entity, _ in chosen], said)

    return Teaching(facts_body(spec, rng), draw)


def definitions(rng: random.Random) -> Teaching:
    """Definitions; the answer gives those of some functions in their first wording."""
    spec = open_functions(rng)

    def draw(rng: random.Random) -> tuple[Message, ...]:
        chosen = rng.sample(spec.functions, rng.randint(1, len(spec.functions)))
        return _exchange(
            "define each", [name for name, _ in chosen], [authored_body(tuple(chosen))]
        )

    return Teaching(functions_body(spec, rng), draw)


def applications(rng: random.Random) -> Teaching:
    """Definitions; the answer applies some functions, each for itself, to one list."""
    spec = open_functions(rng)

    def draw(rng: random.Random) -> tuple[Message, ...]:
        items = tuple(rng.sample(ALPHABET, rng.randint(3, 5)))
        chosen = rng.sample(spec.functions, rng.randint(1, len(spec.functions)))
        said = [step(name, operation, operation(items)) for name, operation in chosen]
        asked = [name for name, _ in chosen]
        return _exchange(f"apply each to {' '.join(items)}", asked, said)

    return Teaching(functions_body(spec, rng), draw)


def homes(rng: random.Random) -> Teaching:
    """A household skill; the answer says where its things are."""
    spec = open_home(rng, rng.choice((1, 2, 3)))

    def draw(rng: random.Random) -> tuple[Message, ...]:
        chosen = rng.sample(spec.homes, rng.randint(1, len(spec.homes)))
        said = [f"- {thing}: go to {place}" for thing, place in chosen]
        return _exchange("where is each", [thing for thing, _ in chosen], said)

    return Teaching(home_body(spec, rng), draw)


def _exchange(ask: str, names: Sequence[str], said: Sequence[str]) -> tuple[Message, Message]:
    request = f"{ask}: {', '.join(names)}"
    return {"role": "user", "content": request}, {"role": "assistant", "content": "\n".join(said)}
