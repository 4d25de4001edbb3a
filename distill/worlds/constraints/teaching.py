"""What pretraining shows of the constraint world: follower, solver and author. Nothing held out."""

import random

from ..authoring import NUM_EXAMPLES, author_request
from ..types import Message
from ..world import Teaching
from .answers import worked_answer
from .draw import draw_spec, solved_letters
from .predicates import phrase
from .spec import ConstraintSpec
from .texts import plain_request, request_text, skill_body

LEVEL_SHARES = (0.2, 0.3, 0.3, 0.2)
"""How often a shown skill has one to four constraints."""

CHAIN_SHARE = 0.15
"""How often the requests under one text are turns of a single conversation."""


def _open_spec(rng: random.Random, *, most: int = 4) -> ConstraintSpec:
    shares = LEVEL_SHARES[:most]
    return draw_spec(rng, rng.choices(range(1, most + 1), shares)[0], held_out=False)


def _exchange(request: str, answer: str) -> tuple[Message, Message]:
    return {"role": "user", "content": request}, {"role": "assistant", "content": answer}


def follower(rng: random.Random) -> Teaching:
    """A skill's text, and requests answered by it; in `CHAIN_SHARE` several in one conversation."""
    spec = _open_spec(rng)
    lengths = (2, 3, 4) if rng.random() < CHAIN_SHARE else (1,)

    def draw(rng: random.Random) -> tuple[Message, ...]:
        turns: list[Message] = []
        for _ in range(rng.choice(lengths)):
            letters, answer = solved_letters(spec, rng)
            turns += _exchange(request_text(spec, letters, rng), worked_answer(spec, answer))
        return tuple(turns)

    return Teaching(skill_body(spec, rng), draw)


def solver(_: random.Random) -> Teaching:
    """Requests that state one or two constraints themselves, without any text."""

    def draw(rng: random.Random) -> tuple[Message, ...]:
        spec = _open_spec(rng, most=2)
        letters, answer = solved_letters(spec, rng)
        return _exchange(plain_request(spec, letters, rng), worked_answer(spec, answer))

    return Teaching(None, draw)


def author(_: random.Random) -> Teaching:
    """Three solved examples of one skill; the assistant writes the skill's text."""

    def draw(rng: random.Random) -> tuple[Message, ...]:
        spec = _open_spec(rng)
        return _exchange(examples_request(spec, rng), authored_body(spec))

    return Teaching(None, draw)


def examples_request(spec: ConstraintSpec, rng: random.Random) -> str:
    """The author's prompt: requests with their worked answers, whose notes tell the constraints."""
    solved = []
    for _ in range(NUM_EXAMPLES):
        letters, answer = solved_letters(spec, rng)
        solved.append((request_text(spec, letters, rng), worked_answer(spec, answer)))
    return author_request(solved, rng)


def authored_body(spec: ConstraintSpec) -> str:
    """The text that an author is taught to write: always the first wording, one layout."""
    said = [phrase(row.kind, row.params, 0) for row in spec.constraints]
    rules = [f"{i}. {text[:1].upper()}{text[1:]}." for i, text in enumerate(said, 1)]
    return "\n".join(["## Rules", *rules, "", "## Output", "Write the letters with spaces only."])


SOURCES = {"follower": follower, "solver": solver, "author": author}
