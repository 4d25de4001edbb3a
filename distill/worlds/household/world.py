"""The household behind `World`: skills by the length of their plans, episodes, the blind plan."""

import random
from collections.abc import Collection

from ....adapters.skills import Skill
from ..metadata import read_checker
from ..types import Split, Task
from ..world import WorldSpec
from .nouns import FIXTURES, THINGS, is_storage, kind_of, shuts
from .rooms import held_out_spec, open_spec
from .spec import LEVELS, HouseholdSpec
from .tasks import MAX_TURNS, NAME, HouseholdTask, draw_tasks, household_skill


class HouseholdWorld:
    """Rooms in which a thing is found, treated and put away.

    Levels are plan lengths with everything shut that shuts: 4 or 5 actions, 6, and 7 or 8.
    """

    spec = WorldSpec(
        name=NAME,
        source="own",
        licence="Apache-2.0",
        levels=LEVELS,
        max_turns=MAX_TURNS,
        oracle_rate=1.0,
        random_rate=0.10,
    )

    def skill(self, level: int, *, seed: int, held_out: bool = True) -> Skill:
        """A skill of a level; see `World.skill`.

        Raises:
            ValueError: no such level.
        """
        rng = random.Random(f"{NAME}:{level}:{seed}:{held_out}")
        return household_skill((held_out_spec if held_out else open_spec)(rng, level), seed=seed)

    def tasks(
        self,
        skill: Skill,
        split: Split,
        num_tasks: int,
        *,
        seed: int,
        exclude: Collection[str] = (),
    ) -> list[HouseholdTask]:
        """Distinct tasks of a skill; see `World.tasks`."""
        spec = read_checker(skill, NAME, HouseholdSpec.from_json)
        return draw_tasks(
            spec, family=skill.name, split=split, num_tasks=num_tasks, seed=seed, exclude=exclude
        )

    def guess(self, task: Task, rng: random.Random) -> str:
        """A plan of the right form for the thing that is asked for, through places that are seen.

        Where the thing is, what is done with it and where it goes are drawn.
        """
        request, overview = task.messages[-1]["content"].split("\n")[:2]
        words = request.translate({ord(mark): " " for mark in ".,:?"}).split()
        thing = next(word for word in reversed(words) if word in THINGS)
        places = overview.removeprefix("you see ").rstrip(".").split(", ")
        storage, fixtures = ([p for p in places if is_storage(p) is flag] for flag in (True, False))
        home, to = rng.sample(storage, 2)
        lines = [*_enter(home), f"take {thing} from {home}"]
        treatment = rng.choice([None, None, *fixtures])
        if treatment:
            verb = FIXTURES[kind_of(treatment)]
            act = f"use {treatment}" if verb == "use" else f"{verb} {thing} with {treatment}"
            lines += [f"go to {treatment}", act]
        return "\n".join([*lines, *_enter(to), f"put {thing} in {to}"])


def _enter(place: str) -> list[str]:
    return [f"go to {place}", *([f"open {place}"] if shuts(place) else [])]


WORLD = HouseholdWorld()
