"""Skills of the string world that the base never saw, for gates, examples and experiments."""

import functools
import random
from collections.abc import Sequence

from .primitives import ALPHABET, PRIMITIVES, Symbols, parameter_values
from .spec import Operation, SkillSpec
from .split import is_held_out
from .texts import random_spec
from .topics import TOPICS

STEPS = (1, 2, 2, 2, 3, 3)
"""Numbers of steps of a set of six skills."""


def held_out_spec(rng: random.Random, num_steps: int, *, topic: str | None = None) -> SkillSpec:
    """Draw a skill that the base never saw and that no shorter skill equals."""
    while True:
        spec = random_spec(rng, num_steps, topic=topic)
        if is_held_out(spec) and not is_reducible(spec):
            return spec


def held_out_specs(seed: int, *, steps: Sequence[int] = STEPS) -> list[SkillSpec]:
    """A set of held-out skills with different topics, the same for the same seed.

    Raises:
        ValueError: more skills than topics.
    """
    if len(steps) > len(TOPICS):
        raise ValueError(f"asked for {len(steps)} skills, expected at most {len(TOPICS)}")
    rng = random.Random(f"held-out:{seed}")
    topics = rng.sample(tuple(TOPICS), len(steps))
    return [held_out_spec(rng, n, topic=topic) for n, topic in zip(steps, topics, strict=True)]


def is_reducible(spec: SkillSpec) -> bool:
    """Whether a single operation, or the skill without one of its steps, gives the same lists.

    Such a skill would be held out by name only: the base may have seen what it does under the
    shorter one. Decided on a fixed set of lists, so it is exact up to those.
    """
    if len(spec.operations) < 2:
        return False
    whole = _trace(spec.operations)
    if whole in _single_traces():
        return True
    return any(
        _trace(spec.operations[:index] + spec.operations[index + 1 :]) == whole
        for index in range(len(spec.operations))
    )


def _trace(operations: Sequence[Operation]) -> tuple[Symbols, ...]:
    """What the operations make of every probe."""
    out = []
    for items in _probes():
        for operation in operations:
            items = operation(items)
        out.append(items)
    return tuple(out)


@functools.cache
def _probes() -> tuple[Symbols, ...]:
    """Lists of 4 to 6 symbols, each symbol in several of them."""
    rng = random.Random("probes")
    return tuple(tuple(rng.sample(ALPHABET, 4 + index % 3)) for index in range(60))


@functools.cache
def _single_traces() -> frozenset[tuple[Symbols, ...]]:
    """The traces of every single operation."""
    return frozenset(
        _trace((Operation(kind, params),))
        for kind in PRIMITIVES
        for params in parameter_values(kind)
    )
