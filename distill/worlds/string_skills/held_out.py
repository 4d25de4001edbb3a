"""Skills of the string world that the base never saw, for gates, examples and experiments."""

import random
from collections.abc import Sequence

from .spec import SkillSpec
from .split import is_held_out
from .texts import random_spec
from .topics import TOPICS

STEPS = (1, 2, 2, 2, 3, 3)
"""Numbers of steps of a set of six skills."""


def held_out_spec(rng: random.Random, num_steps: int, *, topic: str | None = None) -> SkillSpec:
    """Draw a skill that the base never saw."""
    while True:
        spec = random_spec(rng, num_steps, topic=topic)
        if is_held_out(spec):
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
