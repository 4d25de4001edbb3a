"""Questions of reasoning-gym behind `World`: the external check, whose verifiers are not ours."""

import random
from collections.abc import Collection

from ....adapters.skills import Skill
from ..metadata import read_checker
from ..string_skills.answers import FINAL
from ..types import Split, Task
from ..world import WorldSpec
from .faces import FACES
from .gym import SOURCE
from .tasks import LEVELS, NAME, ReasoningSpec, ReasoningTask, draw_tasks, reasoning_skill


class ReasoningWorld:
    """A few tasks of reasoning-gym in short words; the level is the package's curriculum.

    Skills can be drawn without the package; tasks need the extra `envs-text`. No base is
    pretrained on any of it, so `held_out` changes nothing but the draw.
    """

    spec = WorldSpec(
        name=NAME,
        source=SOURCE,
        licence="Apache-2.0",
        levels=LEVELS,
        out_of_range=LEVELS,
        max_turns=1,
        oracle_rate=1.0,
        random_rate=0.15,
    )

    def skill(self, level: int, *, seed: int, held_out: bool = True) -> Skill:
        """One task that has a short face; see `World.skill`.

        Raises:
            ValueError: no such level.
        """
        rng = random.Random(f"{NAME}:{level}:{seed}:{held_out}")
        name = rng.choice(tuple(FACES))
        return reasoning_skill(ReasoningSpec(name, level, draw=rng.randrange(10**6)))

    def tasks(
        self,
        skill: Skill,
        split: Split,
        num_tasks: int,
        *,
        seed: int,
        exclude: Collection[str] = (),
    ) -> list[ReasoningTask]:
        """Distinct tasks of a skill; see `World.tasks`. A question has one split for ever."""
        spec = read_checker(skill, NAME, ReasoningSpec.from_json)
        return draw_tasks(
            spec, family=skill.name, split=split, num_tasks=num_tasks, seed=seed, exclude=exclude
        )

    def guess(self, task: Task, rng: random.Random) -> str:
        """Where the request spells a word its letters, mixed; else a number near those it names."""
        words = task.messages[-1]["content"].split(": ")
        if len(words) == 2:
            letters = words[1].split()
            return f"{FINAL} {' '.join(rng.sample(letters, len(letters)))}"
        digits = "".join(x if x.isdigit() else " " for x in words[0]).split()
        most = sum(map(int, digits))
        return f"{FINAL} {rng.randint(-most, most)}"


WORLD = ReasoningWorld()
