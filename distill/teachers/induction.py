"""The string world's procedure behind worked examples, found by trying every operation.

Owns the search. Exact on the examples and no further: few examples may leave several procedures
open, and then the first in the order of the table is taken, as an honest author would guess.
"""

import functools
from collections.abc import Mapping, Sequence

from ..worlds.string_skills.answers import FINAL
from ..worlds.string_skills.formats import FORMATS
from ..worlds.string_skills.primitives import ALPHABET, PRIMITIVES, Symbols, parameter_values
from ..worlds.string_skills.spec import Operation, SkillSpec
from ..worlds.string_skills.topics import TOPICS

_SYMBOLS = frozenset(ALPHABET)
_MAX_STEPS = 6


def induced(examples: Sequence[Mapping[str, str]]) -> SkillSpec | None:
    """The procedure that explains all examples; None where there is none.

    Args:
        examples: `request`, ending in a list of symbols, and `answer`, worked step by step.
    """
    if not examples:
        return None
    traces = [trace(row["request"], row["answer"]) for row in examples]
    lengths = {len(states) for states, _ in traces}
    if len(lengths) != 1 or not 2 <= (length := lengths.pop()) <= _MAX_STEPS + 1:
        return None
    found: list[Operation] = []
    for step in range(1, length):
        pairs = [(states[step - 1], states[step]) for states, _ in traces]
        fits = next((op for op in _operations() if all(op(a) == b for a, b in pairs)), None)
        if fits is None:
            return None
        found.append(fits)
    finals = [(states[-1], final) for states, final in traces]
    form = next((n for n, f in FORMATS.items() if all(f.write(s) == t for s, t in finals)), None)
    if form is None:
        return None
    return SkillSpec(tuple(found), form, topic_of(" ".join(row["request"] for row in examples)))


def trace(request: str, answer: str) -> tuple[tuple[Symbols, ...], str]:
    """The list of the request, the list after each step, and the final text."""
    states = [tuple(word for word in request.rpartition(":")[2].split() if word in _SYMBOLS)]
    final = ""
    for line in answer.splitlines():
        if line.startswith(FINAL):
            final = " ".join(line[len(FINAL) :].split())
        elif (mark := line.partition(":"))[0].isdecimal():
            states.append(tuple(mark[2].split()))
    return tuple(states), final


def topic_of(text: str) -> str:
    """The topic whose words the text says most often; the first of them on ties."""
    words = text.lower().replace(",", " ").replace(":", " ").split()

    def hits(slug: str) -> int:
        topic = TOPICS[slug]
        return sum(word in topic.told or word in topic.untold for word in words)

    return max(TOPICS, key=hits)


@functools.cache
def _operations() -> tuple[Operation, ...]:
    """Every operation, those without parameters first."""
    every = [Operation(kind, params) for kind in PRIMITIVES for params in parameter_values(kind)]
    return tuple(sorted(every, key=lambda op: len(op.params)))
