"""What pretraining shows of functions: follower, solver, author. Never what is held out.

Owns the three kinds of conversation. Refuses to own rows, packing and masks, which are the
base's. No call is deeper than `DEPTH_SHARES` has.
"""

import dataclasses
import random
import re
from collections.abc import Sequence

from ..authoring import NUM_EXAMPLES, author_request
from ..string_skills.answers import worked_answer as worked_steps
from ..string_skills.primitives import Symbols, phrase
from ..string_skills.spec import Operation, SkillSpec
from ..string_skills.split import OPEN_FORMAT
from ..string_skills.teaching import explained
from ..string_skills.topics import TOPICS
from ..types import Message
from ..world import Teaching
from .answers import worked_answer
from .draws import NUM_FUNCTIONS, draw_functions, items_for
from .held_out import chains
from .requests import call_text, request_text
from .spec import Chain, FunctionsSpec
from .texts import authored_body, skill_body

DEPTH_SHARES = (0.30, 0.35, 0.35)
"""How often a call has one, two or three functions."""

MAX_REQUEST_WORDS = 40
_TRIES = 12
_WORD = re.compile(r"[A-Za-z]+|[^\sA-Za-z]|\n")


def open_spec(rng: random.Random) -> FunctionsSpec:
    """Functions that a base may see, asked in orders that it may see."""
    functions = draw_functions(rng, rng.choice(NUM_FUNCTIONS), held_out=False)
    return FunctionsSpec(functions, 1, (), "seen")


def open_call(
    spec: FunctionsSpec, rng: random.Random, shares: Sequence[float]
) -> tuple[Chain, Symbols]:
    """A call that a base may see, its depth by `shares`."""
    while True:
        depth = rng.choices(range(1, len(shares) + 1), shares)[0]
        asked = dataclasses.replace(spec, depth=depth)
        if not chains(asked):
            continue
        chain = rng.choice(chains(asked))
        items = items_for(asked, chain, rng)
        if items is not None:
            return chain, items


def _exchange(request: str, answer: str) -> tuple[Message, Message]:
    return {"role": "user", "content": request}, {"role": "assistant", "content": answer}


def expert_answer(spec: FunctionsSpec, chain: Chain, items: Symbols) -> str:
    """The reference answer to a call of these functions."""
    return worked_answer(chain, spec.operations(chain), spec.states(chain, items))


def follower(rng: random.Random, *, shares: Sequence[float] = DEPTH_SHARES) -> Teaching:
    """Definitions, and calls answered by them."""
    spec = open_spec(rng)

    def draw(rng: random.Random) -> tuple[Message, ...]:
        chain, items = open_call(spec, rng, shares)
        return _exchange(request_text(chain, items, rng), expert_answer(spec, chain, items))

    return Teaching(skill_body(spec, rng), draw)


def solver(_: random.Random, *, shares: Sequence[float] = DEPTH_SHARES) -> Teaching:
    """Compositions that say their operations themselves, without any text."""

    def draw(rng: random.Random) -> tuple[Message, ...]:
        while True:
            spec = open_spec(rng)
            chain, items = open_call(spec, rng, shares)
            operations = spec.operations(chain)
            request = solver_request(operations, items, rng)
            if len(_WORD.findall(request)) <= MAX_REQUEST_WORDS:
                return _exchange(request, worked_steps(_as_steps(operations), items))

    return Teaching(None, draw)


def solver_request(operations: Sequence[Operation], items: Symbols, rng: random.Random) -> str:
    """Operations in words in order, or as nested calls by their plain names."""
    if rng.random() < 0.5:
        names = tuple(" ".join((op.kind, *op.params)) for op in operations)
        return f"find {call_text(names, items, 0)}"
    said = [phrase(op.kind, op.params, rng.randrange(12)) for op in operations]
    first = "first " if len(said) > 1 else ""
    return f"{first}{', then '.join(said)}: {' '.join(items)}"


def author(_: random.Random, *, shares: Sequence[float] = DEPTH_SHARES) -> Teaching:
    """Three solved calls of the same functions; the assistant writes their definitions."""

    def draw(rng: random.Random) -> tuple[Message, ...]:
        while True:
            spec = open_spec(rng)
            chain, _ = open_call(spec, rng, shares)
            lists = telling_lists(spec, chain, rng)
            if lists is not None:
                return _examples(spec, chain, lists, rng)

    return Teaching(None, draw)


def _examples(
    spec: FunctionsSpec, chain: Chain, lists: Sequence[Symbols], rng: random.Random
) -> tuple[Message, Message]:
    solved = [
        (request_text(chain, items, rng), expert_answer(spec, chain, items)) for items in lists
    ]
    functions = dict(zip(chain, spec.operations(chain), strict=True))
    return _exchange(author_request(solved, rng), authored_body(tuple(functions.items())))


def telling_lists(
    spec: FunctionsSpec, chain: Chain, rng: random.Random
) -> tuple[Symbols, ...] | None:
    """Lists from whose worked answers every function can be told; None where draws find none."""
    steps = _as_steps(spec.operations(chain))
    for _ in range(_TRIES):
        lists = [items_for(spec, chain, rng) for _ in range(NUM_EXAMPLES)]
        found = tuple(items for items in lists if items is not None)
        if len(found) == NUM_EXAMPLES and explained(steps, found) == steps.operations:
            return found
    return None


def _as_steps(operations: Sequence[Operation]) -> SkillSpec:
    """The same operations as a procedure of the string world; the topic plays no part."""
    return SkillSpec(tuple(operations), OPEN_FORMAT, next(iter(TOPICS)))


SOURCES = {"follower": follower, "solver": solver, "author": author}
