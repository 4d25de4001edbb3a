"""The world of functions behind `World`: definitions by depth, tasks, and the uninformed answer."""

import random
from collections.abc import Collection

from ....adapters.skills import Skill
from ..string_skills.answers import FINAL
from ..types import Split, Task
from ..world import WorldSpec
from .draws import draw_functions, draw_spec
from .spec import MAX_DEPTH
from .tasks import NAME, CallTask, draw_tasks, functions_skill, spec_of


class FunctionsWorld:
    """Named functions on short lists; the level is the depth of the calls.

    No base is pretrained on depths four and five.
    """

    spec = WorldSpec(
        name=NAME,
        source="own",
        licence="Apache-2.0",
        levels=tuple(range(1, MAX_DEPTH + 1)),
        out_of_range=(4, 5),
        max_turns=1,
        oracle_rate=1.0,
        random_rate=0.15,
    )

    def skill(self, level: int, *, seed: int, held_out: bool = True) -> Skill:
        """Definitions whose calls have depth `level`; see `World.skill`.

        Raises:
            ValueError: no such level.
        """
        if level not in self.spec.levels:
            raise ValueError(f"level {level} does not exist in {NAME}, expected 1 to {MAX_DEPTH}")
        rng = random.Random(f"{NAME}:{level}:{seed}:{held_out}")
        return functions_skill(draw_spec(rng, level, held_out=held_out), seed=seed)

    def tasks(
        self,
        skill: Skill,
        split: Split,
        num_tasks: int,
        *,
        seed: int,
        exclude: Collection[str] = (),
    ) -> list[CallTask]:
        """Distinct tasks of a skill; see `World.tasks`."""
        return draw_tasks(
            spec_of(skill),
            family=skill.name,
            split=split,
            num_tasks=num_tasks,
            seed=seed,
            exclude=exclude,
        )

    def guess(self, task: Task, rng: random.Random) -> str:
        """The call done rightly with functions that were made up.

        Raises:
            ValueError: a task of another world.
        """
        if not isinstance(task, CallTask):
            raise ValueError(f"expected a task of the world {NAME!r}, got {type(task).__name__}")
        names = tuple(dict.fromkeys(task.chain))
        while True:
            made_up = draw_functions(rng, len(names), held_out=False)
            table = {name: op for name, (_, op) in zip(names, made_up, strict=True)}
            items = task.items
            for name in task.chain:
                items = table[name](items)
            if items:
                return f"{FINAL} {' '.join(items)}"


WORLD = FunctionsWorld()
