"""What the gates ask: held-out skills with requests, per world and role, drawn by a seed.

Owns the draws. One case is one skill and one request, so an interval over cases is an interval
over skills. To add a world, add it to `WORLDS`.
"""

import random
from collections.abc import Mapping

from ..worlds.constraints import WORLD as CONSTRAINTS
from ..worlds.facts import WORLD as FACTS
from ..worlds.fg import WORLD as FG
from ..worlds.household import WORLD as HOUSEHOLD
from ..worlds.string_skills import (
    StringTask,
    held_out_spec,
    plain_tasks,
    worked_answer,
)
from ..worlds.string_skills import requests as string_requests
from ..worlds.string_skills import texts as string_texts
from ..worlds.string_skills.tasks import NAME as STRINGS
from ..worlds.world import World
from .play import Episode

WORLDS: Mapping[str, World] = {
    world.spec.name: world for world in (FACTS, CONSTRAINTS, HOUSEHOLD, FG)
}
"""The worlds beside the string world, which has draws of its own: those of the first edition."""

STRING_STEPS = (1, 2, 3)


def string_cases(num_steps: int, num_cases: int, *, seed: int) -> list[Episode]:
    """Held-out string skills of so many steps."""
    rng = random.Random(f"gate:{seed}:{num_steps}")
    out = []
    for _ in range(num_cases):
        spec = held_out_spec(rng, num_steps)
        items = string_requests.random_items(spec, rng)
        body = string_texts.skill_body(spec, rng)
        request = string_requests.request_text(spec, items, rng)
        worked = worked_answer(spec, items)
        task = StringTask("gate", "test", request, spec.final(items), "seen", worked)
        out.append(Episode(body, task))
    return out


def string_solver_cases(num_cases: int, *, seed: int) -> list[Episode]:
    """Requests that name one operation themselves."""
    return [Episode(None, task) for task in plain_tasks(num_cases, seed=seed)]


def world_cases(world: World, level: int, num_cases: int, *, seed: int) -> list[Episode]:
    """Held-out skills of a level; every other request in a wording that no training request has."""
    rng = random.Random(f"gate:{world.spec.name}:{seed}:{level}")
    out = []
    for index in range(num_cases):
        draw = rng.randrange(2**31)
        skill = world.skill(level, seed=draw)
        tasks = world.tasks(skill, "test", 2, seed=draw)
        out.append(Episode(skill.body, tasks[index % 2]))
    return out


def told_cases(num_cases: int, *, seed: int) -> dict[str, tuple[list[Episode], int]]:
    """Cases with their text, by `world.level`, and the most decisions of an episode."""
    out = {
        f"{STRINGS}.text_{steps}": (string_cases(steps, num_cases, seed=seed), 1)
        for steps in STRING_STEPS
    }
    for name, world in WORLDS.items():
        for level in world.spec.levels:
            if level not in world.spec.out_of_range:
                cases = world_cases(world, level, num_cases, seed=seed)
                out[f"{name}.text_{level}"] = (cases, world.spec.max_turns)
    return out
