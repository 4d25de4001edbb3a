"""The world of facts behind `World`: tables by level, tasks, and the uninformed answer."""

import random
from collections.abc import Collection

from ....adapters.skills import Skill
from ..string_skills.answers import FINAL
from ..types import Split, Task
from ..world import WorldSpec
from .classes import CLASS_OF, CLASSES
from .held_out import draw_facts, draw_spec
from .manipulations import LEVELS, MANIPULATIONS
from .tasks import NAME, FactTask, draw_tasks, facts_skill, spec_of


class FactsWorld:
    """Tables of codes. Level 1 recalls one, level 2 changes one, level 3 combines two."""

    spec = WorldSpec(
        name=NAME,
        source="own",
        licence="Apache-2.0",
        levels=LEVELS,
        max_turns=1,
        oracle_rate=1.0,
        random_rate=0.15,
    )

    def skill(self, level: int, *, seed: int, held_out: bool = True) -> Skill:
        """A table asked at one level; see `World.skill`.

        Raises:
            ValueError: no such level.
        """
        rng = random.Random(f"{NAME}:{level}:{seed}:{held_out}")
        return facts_skill(draw_spec(rng, level, held_out=held_out), seed=seed)

    def tasks(
        self,
        skill: Skill,
        split: Split,
        num_tasks: int,
        *,
        seed: int,
        exclude: Collection[str] = (),
    ) -> list[FactTask]:
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
        """The manipulation done rightly on codes that were made up.

        Raises:
            ValueError: a task of another world.
        """
        if not isinstance(task, FactTask):
            raise ValueError(f"expected a task of the world {NAME!r}, got {type(task).__name__}")
        row = MANIPULATIONS[task.manipulation]
        entities = [entity for entity, _ in task.asked]
        if not row.shows_codes and row.level > 1:
            return f"{FINAL} {rng.choice(CLASSES[CLASS_OF[entities[0]]])}"
        while True:
            facts = draw_facts([*entities, "another"], rng, held_out=False)[: len(entities)]
            if row.fits(facts):
                return f"{FINAL} {' '.join(row.apply(facts))}"


WORLD = FactsWorld()
