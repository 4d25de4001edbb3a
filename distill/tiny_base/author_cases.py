"""What an author is asked by the gates: solved examples of a held-out skill, and further requests.

Owns the draws, in the words of `worlds/authoring.py`. A table of facts and a set of functions are
not asked for: three examples do not show all of either. To add a world, add a row to `AUTHORS`.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..worlds.authoring import NUM_EXAMPLES, author_request
from ..worlds.constraints import WORLD as CONSTRAINTS
from ..worlds.household import WORLD as HOUSEHOLD
from ..worlds.household import HouseholdTask
from ..worlds.household.teaching import examples_request
from ..worlds.string_skills import draw_tasks, held_out_spec
from ..worlds.string_skills.tasks import NAME as STRINGS
from ..worlds.types import Task

STRING_STEPS = (1, 2, 3)
NUM_REQUESTS = 4
"""Requests that an authored body is tried on."""
NUM_DRAWN = 12
"""Episodes of which those that an author is shown are the first to ask for every thing."""


@dataclass(frozen=True)
class AuthorCase:
    """What an author is asked, and held-out requests that its text must make solvable."""

    request: str
    tasks: Sequence[Task]


@dataclass(frozen=True)
class AuthorGate:
    """How the cases of a world are drawn, and the most decisions of one of its episodes."""

    draw: Callable[[int, random.Random], AuthorCase]
    max_turns: int = 1

    def cases(self, num_cases: int, *, seed: int) -> list[AuthorCase]:
        """Held-out skills, their levels in turn."""
        rng = random.Random(f"author:{seed}")
        return [self.draw(index, rng) for index in range(num_cases)]


def _string_case(index: int, rng: random.Random) -> AuthorCase:
    spec = held_out_spec(rng, STRING_STEPS[index % 3])
    draw = rng.randrange(2**31)
    shown = draw_tasks(spec, family="a", split="train", num_tasks=NUM_EXAMPLES, seed=draw)
    asked = draw_tasks(
        spec,
        family="a",
        split="test",
        num_tasks=NUM_REQUESTS,
        seed=draw,
        exclude={task.id for task in shown},
    )
    return AuthorCase(author_request([(t.request, t.worked) for t in shown], rng), asked)


def _constraint_case(index: int, rng: random.Random) -> AuthorCase:
    levels = [n for n in CONSTRAINTS.spec.levels if n not in CONSTRAINTS.spec.out_of_range]
    draw = rng.randrange(2**31)
    skill = CONSTRAINTS.skill(levels[index % len(levels)], seed=draw)
    shown = CONSTRAINTS.tasks(skill, "train", NUM_EXAMPLES, seed=draw)
    solved = [(t.messages[-1]["content"], t.environment().expert() or "") for t in shown]
    used = {task.id for task in shown}
    asked = CONSTRAINTS.tasks(skill, "test", NUM_REQUESTS, seed=draw, exclude=used)
    return AuthorCase(author_request(solved, rng), asked)


def _household_case(index: int, rng: random.Random) -> AuthorCase:
    levels = HOUSEHOLD.spec.levels
    draw = rng.randrange(2**31)
    skill = HOUSEHOLD.skill(levels[index % len(levels)], seed=draw)
    shown = _telling(HOUSEHOLD.tasks(skill, "train", NUM_DRAWN, seed=draw))
    asked = HOUSEHOLD.tasks(skill, "test", NUM_REQUESTS, seed=draw)
    return AuthorCase(examples_request([task.start for task in shown], rng), asked)


def _telling(tasks: Sequence[HouseholdTask]) -> list[HouseholdTask]:
    """Examples among which is one for every thing that any of the tasks asks for."""
    first: dict[str, HouseholdTask] = {}
    for task in tasks:
        first.setdefault(task.start.goal.thing, task)
    needed = list(first.values())[:NUM_EXAMPLES]
    others = [task for task in tasks if task not in needed]
    return [*needed, *others][:NUM_EXAMPLES]


AUTHORS: Mapping[str, AuthorGate] = {
    STRINGS: AuthorGate(_string_case),
    CONSTRAINTS.spec.name: AuthorGate(_constraint_case),
    HOUSEHOLD.spec.name: AuthorGate(_household_case, HOUSEHOLD.spec.max_turns),
}
"""The worlds whose skills three examples can show."""
