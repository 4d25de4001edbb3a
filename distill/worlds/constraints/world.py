"""The constraint world behind `World`: skills by number of constraints, and random guesses."""

import random
from collections.abc import Collection

from ....adapters.skills import Skill
from ..metadata import read_checker
from ..string_skills.answers import FINAL
from ..string_skills.primitives import ALPHABET
from ..types import Split, Task
from ..world import WorldSpec
from .draw import draw_spec
from .predicates import MAX_LENGTH
from .solve import LENGTHS
from .spec import ConstraintSpec
from .tasks import NAME, ConstraintTask, constraint_skill, draw_tasks


class ConstraintWorld:
    """Lists of letters that must satisfy what a skill states; the level counts constraints."""

    spec = WorldSpec(
        name=NAME,
        source="own",
        licence="Apache-2.0",
        levels=(1, 2, 3, 4),
        out_of_range=(5,),
        max_turns=1,
        oracle_rate=1.0,
        random_rate=0.15,
    )

    def skill(self, level: int, *, seed: int, held_out: bool = True) -> Skill:
        """A skill of `level` constraints; see `World.skill`.

        Raises:
            ValueError: no such level.
        """
        if level not in {*self.spec.levels, *self.spec.out_of_range}:
            raise ValueError(f"level {level} does not exist in {NAME}, expected 1 to 5")
        rng = random.Random(f"{NAME}:{level}:{seed}:{held_out}")
        return constraint_skill(draw_spec(rng, level, held_out=held_out), seed=seed)

    def tasks(
        self,
        skill: Skill,
        split: Split,
        num_tasks: int,
        *,
        seed: int,
        exclude: Collection[str] = (),
    ) -> list[ConstraintTask]:
        """Distinct tasks of a skill; see `World.tasks`."""
        spec = read_checker(skill, NAME, ConstraintSpec.from_json)
        return draw_tasks(
            spec, family=skill.name, split=split, num_tasks=num_tasks, seed=seed, exclude=exclude
        )

    def guess(self, task: Task, rng: random.Random) -> str:
        """Some of the offered letters, none twice, in any order."""
        letters = [w for w in task.messages[-1]["content"].split()[-MAX_LENGTH:] if w in ALPHABET]
        return f"{FINAL} {' '.join(rng.sample(letters, rng.choice(LENGTHS)))}"


WORLD = ConstraintWorld()
