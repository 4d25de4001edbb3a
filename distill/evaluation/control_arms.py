"""Control arms that need no recipe: the oracle, and texts with their words shuffled.

Owns how these are made and asked. A text of equal length is `irrelevant_arm` of `skill_arms.py`;
a random adapter of equal norm is `random_adapter.py`; what the same budget buys without the method
is the recipe's to say.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from ...adapters.skills import Skill, system_prompt
from .errors import EvaluationError
from .evaluator import Ask
from .samples import Sampled
from .types import Answer, Arm, Item

ORACLE = "oracle"
_MOST_ACTIONS = 1000


class _Seen(Protocol):
    @property
    def terminated(self) -> bool: ...
    @property
    def truncated(self) -> bool: ...


class _Episode(Protocol):
    def reset(self, seed: int, /) -> object: ...
    def step(self, action: str, /) -> _Seen: ...
    def expert(self) -> str | None: ...


@runtime_checkable
class _Playable(Protocol):
    def environment(self) -> _Episode: ...


def oracle_arm() -> Arm:
    return Arm(ORACLE, "The world's own reference answers, through the same verifier.")


class WithOracle:
    """Answers the oracle's arm from the world and passes every other arm on; an `Ask`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def __call__(self, arm: Arm, item: Item, /) -> Answer:
        if arm.name == ORACLE:
            return Answer(oracle_answer(item), 0, 0)
        return await self._ask(arm, item)


def oracle_answer(item: Item) -> str:
    """What the world's expert says; of an episode its plan, one action a line.

    Raises:
        EvaluationError: the item is no task of a world, or its world has no expert.
    """
    task = item.item if isinstance(item, Sampled) else item
    if not isinstance(task, _Playable):
        raise EvaluationError(f"item {item.id!r} has no environment(): the oracle cannot answer it")
    episode = task.environment()
    episode.reset(0)
    said: list[str] = []
    while len(said) < _MOST_ACTIONS:
        action = episode.expert()
        if action is None:
            break
        said.append(action)
        seen = episode.step(action)
        if seen.terminated or seen.truncated:
            return "\n".join(said)
    raise EvaluationError(
        f"item {item.id!r}: the world's expert did not finish after {len(said)} actions; use "
        "Absent for the oracle and say why"
    )


def shuffled_arm(skills: Sequence[Skill], *, seed: int) -> Arm:
    """Every skill's own words in another order; the layout of lines stays."""
    systems: Mapping[str, str] = {
        skill.name: system_prompt(replace(skill, body=shuffled_text(skill.body, seed=seed)))
        for skill in skills
    }
    return Arm("shuffled", "The words of the skill's text in another order.", systems=systems)


def shuffled_text(text: str, *, seed: int) -> str:
    """The words of a text in another order, as many on every line as before.

    Another order wherever there is one: only a text whose words are all alike stays as it is.
    """
    lines = [line.split() for line in text.splitlines()]
    words = [word for line in lines for word in line]
    rng = random.Random(f"shuffled:{seed}:{text}")
    mixed = list(words)
    while mixed == words and len(set(words)) > 1:
        rng.shuffle(mixed)
    rest = iter(mixed)
    return "\n".join(" ".join(next(rest) for _ in line) for line in lines)
