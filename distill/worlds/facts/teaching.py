"""What pretraining shows of the world of facts: follower, solver, author. Never what is held out.

Owns the three kinds of conversation. Refuses to own rows, packing and masks, which are the base's.
"""

import random
from collections.abc import Sequence

from ..authoring import NUM_EXAMPLES, author_request
from ..types import Message, exchange
from ..world import Teaching
from .classes import CLASSES
from .held_out import TABLE_SIZES, askings, draw_facts
from .manipulations import LEVELS, MANIPULATIONS, Fact
from .requests import draw_asked, question, request_text
from .spec import FactsSpec
from .tasks import worked_answer
from .texts import authored_body, skill_body

LEVEL_SHARES = (0.30, 0.35, 0.35)
"""How often a request recalls, changes one code, or combines two."""

_SOLVER_FACTS = (1, 2, 2, 3)


def open_spec(rng: random.Random, *, size: int | None = None) -> FactsSpec:
    """A table that a base may see, asked in every way that is not held out in its class."""
    name = rng.choice(tuple(CLASSES))
    entities = rng.sample(CLASSES[name], size or rng.choice(TABLE_SIZES))
    asked = [ask for level in LEVELS for ask in askings(name, level, held_out=False)]
    return FactsSpec(name, draw_facts(entities, rng, held_out=False), tuple(asked))


def _manipulation(spec: FactsSpec, rng: random.Random, shares: Sequence[float]) -> str:
    """One of the table's manipulations, its level by `shares`."""
    while True:
        level = rng.choices(LEVELS, shares)[0]
        names = [name for name in spec.manipulations if MANIPULATIONS[name].level == level]
        if names:
            return rng.choice(names)


def follower(rng: random.Random, *, shares: Sequence[float] = LEVEL_SHARES) -> Teaching:
    """A skill's text, and requests answered from it."""
    spec = open_spec(rng)

    def draw(rng: random.Random) -> tuple[Message, ...]:
        name = _manipulation(spec, rng, shares)
        asked = draw_asked(name, spec.facts, rng)
        return exchange(request_text(name, asked, rng), worked_answer(name, asked))

    return Teaching(skill_body(spec, rng), draw)


def solver(_: random.Random) -> Teaching:
    """Requests that say the facts themselves and then a manipulation, without any text."""

    def draw(rng: random.Random) -> tuple[Message, ...]:
        num_facts = rng.choice(_SOLVER_FACTS)
        spec = open_spec(rng, size=max(num_facts, 2))
        shown = spec.facts[:num_facts]
        shares = (0.1, 0.3, 0.6) if num_facts == 2 else (0.2, 0.8, 0.0)
        name = _manipulation(spec, rng, shares)
        asked = draw_asked(name, shown, rng)
        return exchange(solver_request(shown, name, asked, rng), worked_answer(name, asked))

    return Teaching(None, draw)


def solver_request(
    shown: Sequence[Fact], manipulation: str, asked: Sequence[Fact], rng: random.Random
) -> str:
    """The facts, then what is asked of them, in one message."""
    facts = [f"the {entity}: {' '.join(code)}" for entity, code in shown]
    return f"{', '.join(facts)}\n{question(manipulation, asked, rng.randrange(12))}"


def author(_: random.Random) -> Teaching:
    """Three solved examples of one table; the assistant writes the facts that they show."""

    def draw(rng: random.Random) -> tuple[Message, ...]:
        spec = open_spec(rng)
        names = [n for n in spec.manipulations if n == "recall" or MANIPULATIONS[n].shows_codes]
        solved, shown = [], dict[str, Fact]()
        for _ in range(NUM_EXAMPLES):
            name = rng.choice(names)
            asked = draw_asked(name, spec.facts, rng)
            solved.append((request_text(name, asked, rng), worked_answer(name, asked)))
            shown.update((fact[0], fact) for fact in asked)
        return exchange(author_request(solved, rng), authored_body(tuple(shown.values())))

    return Teaching(None, draw)


SOURCES = {"follower": follower, "solver": solver, "author": author}
