"""Requests that say everything themselves, of every world that has such: work that needs no skill.

Owns one draw a world. They are what a skill's text can spoil: asked under a text that says
something else, a base may follow the text. They come from what the shipped base was pretrained on,
by kind and not by letter, so nothing about held-out skills can be learned from them. To add a
world: a function, and its row in `_DRAWS`.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace

from .rollouts.seeds import derived_seed
from .worlds import constraints, facts, string_skills
from .worlds.constraints.answers import worked_answer as worked_list
from .worlds.constraints.draw import draw_spec, solved_letters
from .worlds.constraints.tasks import ConstraintTask
from .worlds.constraints.texts import plain_request
from .worlds.facts.requests import draw_asked
from .worlds.facts.tasks import FactTask
from .worlds.facts.teaching import open_spec, solver_request
from .worlds.string_skills.tasks import plain_tasks
from .worlds.types import Task

_FACTS = 2
_CONSTRAINTS = (1, 2)


def plain_worlds() -> tuple[str, ...]:
    """The worlds that have such requests."""
    return tuple(_DRAWS)


def plain_requests(world: str, family: str, num_tasks: int, *, seed: int) -> list[Task]:
    """Distinct test tasks in the name of a skill that has nothing to do with them.

    Raises:
        ValueError: the world has no such requests.
    """
    if world not in _DRAWS:
        raise ValueError(f"world {world!r} has no plain requests, expected one of {plain_worlds()}")
    found: dict[str, Task] = {}
    rng = random.Random(f"plain requests:{world}:{family}:{seed}")
    while len(found) < num_tasks:
        task = _DRAWS[world](family, rng)
        found.setdefault(task.id, task)
    return list(found.values())


def _string(family: str, rng: random.Random) -> Task:
    drawn = plain_tasks(1, seed=derived_seed(rng.randrange(2**31)))[0]
    return replace(drawn, family=family)


def _constraints(family: str, rng: random.Random) -> Task:
    spec = draw_spec(rng, rng.choice(_CONSTRAINTS), held_out=False)
    letters, answer = solved_letters(spec, rng)
    request = plain_request(spec, letters, rng)
    return ConstraintTask(family, "test", request, spec, letters, "seen", worked_list(spec, answer))


def _facts(family: str, rng: random.Random) -> Task:
    spec = open_spec(rng, size=_FACTS)
    name = rng.choice(spec.manipulations)
    asked = draw_asked(name, spec.facts, rng)
    request = solver_request(spec.facts, name, asked, rng)
    return FactTask(family, "test", request, name, asked)


_DRAWS: Mapping[str, Callable[[str, random.Random], Task]] = {
    string_skills.WORLD.spec.name: _string,
    constraints.WORLD.spec.name: _constraints,
    facts.WORLD.spec.name: _facts,
}
