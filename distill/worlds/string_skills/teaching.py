"""What pretraining shows of the string world: follower, solver and author. Never a held-out skill.

Owns the three kinds of conversation. Refuses to own rows, packing and masks, which are the
base's. A skill of more steps than `STEP_SHARES` has is never shown.
"""

import random
from collections.abc import Sequence

from ..authoring import NUM_EXAMPLES, author_request
from ..types import Message, exchange
from ..world import Teaching
from .answers import worked_answer
from .formats import FORMATS
from .primitives import PRIMITIVES, Symbols, parameter_values, phrase
from .requests import random_items, request_text
from .spec import Operation, SkillSpec
from .split import is_held_out
from .texts import plain_request, random_spec, skill_body

STEP_SHARES = (0.25, 0.35, 0.40)
"""How often a shown skill has one, two or three steps."""

CHAIN_SHARE = 0.15
"""How often the requests under one text are turns of a single conversation."""

_CHAIN_LENGTHS = (2, 3, 4)
_TRIES = 12
_OPERATIONS = tuple(
    Operation(kind, params) for kind in PRIMITIVES for params in parameter_values(kind)
)


def open_spec(rng: random.Random, num_steps: int) -> SkillSpec:
    """Draw a skill that a base may see."""
    while True:
        spec = random_spec(rng, num_steps)
        if not is_held_out(spec):
            return spec


def _num_steps(rng: random.Random, shares: Sequence[float]) -> int:
    return rng.choices(range(1, len(shares) + 1), shares)[0]


def follower(rng: random.Random, *, shares: Sequence[float] = STEP_SHARES) -> Teaching:
    """A skill's text, and requests answered by it; in `CHAIN_SHARE` several in one conversation."""
    spec = open_spec(rng, _num_steps(rng, shares))
    lengths = _CHAIN_LENGTHS if rng.random() < CHAIN_SHARE else (1,)

    def draw(rng: random.Random) -> tuple[Message, ...]:
        turns: list[Message] = []
        for _ in range(rng.choice(lengths)):
            items = random_items(spec, rng)
            turns += exchange(request_text(spec, items, rng), worked_answer(spec, items))
        return tuple(turns)

    return Teaching(skill_body(spec, rng), draw)


def solver(_: random.Random) -> Teaching:
    """Requests that name one operation themselves, without any text."""

    def draw(rng: random.Random) -> tuple[Message, ...]:
        drawn = open_spec(rng, 1)
        spec = SkillSpec(drawn.operations, "plain", drawn.topic)
        items = random_items(spec, rng)
        return exchange(plain_request(spec.operations[0], items, rng), worked_answer(spec, items))

    return Teaching(None, draw)


def author(_: random.Random, *, shares: Sequence[float] = STEP_SHARES) -> Teaching:
    """Three solved examples of one skill; the assistant writes the skill's text."""

    def draw(rng: random.Random) -> tuple[Message, ...]:
        while True:
            spec = open_spec(rng, _num_steps(rng, shares))
            lists = telling_lists(spec, rng)
            if lists is not None:
                return exchange(examples_request(spec, lists, rng), authored_body(spec))

    return Teaching(None, draw)


def examples_request(spec: SkillSpec, lists: Sequence[Symbols], rng: random.Random) -> str:
    """The author's prompt: a request and its worked answer for each list."""
    solved = [(request_text(spec, items, rng), worked_answer(spec, items)) for items in lists]
    return author_request(solved, rng)


def authored_body(spec: SkillSpec) -> str:
    """The text that an author is taught to write: always the first wording, one layout."""
    steps = [f"{i}. {_said(op)}." for i, op in enumerate(spec.operations, 1)]
    form = f"Write the final list {FORMATS[spec.format].wordings[0]}."
    return "\n".join(["## Steps", *steps, "", "## Output", form])


def _said(operation: Operation) -> str:
    text = phrase(operation.kind, operation.params, 0)
    return text[:1].upper() + text[1:]


def telling_lists(spec: SkillSpec, rng: random.Random) -> tuple[Symbols, ...] | None:
    """Lists from whose worked answers every step can be told; None where draws find none.

    Told means: it changes one of the lists, and of all operations that do the same to all of them
    it is the first of the table. A step that another one always equals after the steps before it
    cannot be told.
    """
    for _ in range(_TRIES):
        lists = tuple(random_items(spec, rng) for _ in range(NUM_EXAMPLES))
        states = [(items, *spec.states(items)) for items in lists]
        moved = all(any(row[i] != row[i + 1] for row in states) for i in range(len(states[0]) - 1))
        if moved and explained(spec, lists) == spec.operations:
            return lists
    return None


def explained(spec: SkillSpec, lists: Sequence[Symbols]) -> tuple[Operation, ...]:
    """The first operation of the table that explains each step on all lists."""
    states = [(items, *spec.states(items)) for items in lists]
    return tuple(
        next(op for op in _OPERATIONS if all(op(row[i]) == row[i + 1] for row in states))
        for i in range(len(spec.operations))
    )


SOURCES = {"follower": follower, "solver": solver, "author": author}
