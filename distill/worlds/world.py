"""What a world offers: skills as texts, their tasks, and what a base is pretrained on.

Owns these nouns. Refuses to own any world. To add one: a folder beside this file with a `World` and
its teaching sources, one row in `checkers.py`; the conformance test then finds it.
"""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from ...adapters.skills import Skill
from .types import Message, Split, Task


@dataclass(frozen=True)
class WorldSpec:
    """What a world is, and what its conformance test holds it to."""

    name: str
    source: str
    """`own`, or the distribution that it comes from, with its version."""
    licence: str
    levels: tuple[int, ...]
    """Difficulties that skills can be drawn at; of `out_of_range` none is ever pretrained on."""
    max_turns: int
    """Most decisions of an episode; 1 for requests and answers."""
    oracle_rate: float
    """Least share of episodes that the expert passes."""
    random_rate: float
    """Largest share that an answer without knowledge passes."""
    out_of_range: tuple[int, ...] = ()


class World(Protocol):
    """Skills whose tasks can be checked. All draws are functions of their arguments alone."""

    @property
    def spec(self) -> WorldSpec: ...

    def skill(self, level: int, *, seed: int, held_out: bool = True) -> Skill:
        """One skill as a value, ready for `write_skill`, its checker in its metadata.

        Args:
            held_out: one that no base was pretrained on, or one that a base may have seen.
        """
        ...

    def tasks(
        self,
        skill: Skill,
        split: Split,
        num_tasks: int,
        *,
        seed: int,
        exclude: Collection[str] = (),
    ) -> Sequence[Task]:
        """Distinct tasks of a skill; ids in `exclude` are left out.

        Raises:
            ValueError: the skill does not have so many, or is not of this world.
        """
        ...

    def guess(self, task: Task, rng: random.Random) -> str:
        """An answer of the right form without knowledge: the control of conformance."""
        ...


@dataclass(frozen=True)
class Teaching:
    """What pretraining shows: a text, and any number of worked conversations under it.

    Args:
        text: of the system message; None where there is none.
        draw: one conversation, user and assistant in turns; the assistant's are learned.
    """

    text: str | None
    draw: Callable[[random.Random], tuple[Message, ...]]


TeachingSource = Callable[[random.Random], Teaching]
"""One kind of row of the pretraining corpus; it never shows what is held out."""
