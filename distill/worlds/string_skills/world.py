"""The string world behind `World`: skills by number of steps, tasks, and the uninformed answer."""

import random
from collections.abc import Callable, Collection

from ....adapters.skills import Skill
from ..metadata import read_checker
from ..types import Split, Task
from ..world import WorldSpec
from .answers import FINAL
from .formats import FORMATS
from .held_out import held_out_spec
from .primitives import ALPHABET, Symbols
from .requests import random_items
from .spec import SkillSpec
from .tasks import NAME, StringTask, draw_tasks, string_skill
from .teaching import open_spec


class StringWorld:
    """Procedures on lists of symbols; the level is the number of steps.

    The shipped base was pretrained on one to three steps. Four and five stand on the ladder of
    trainings; six stands outside it, so that nothing is ever trained there.
    """

    spec = WorldSpec(
        name=NAME,
        source="own",
        licence="Apache-2.0",
        levels=(1, 2, 3, 4, 5),
        out_of_range=(4, 5, 6),
        max_turns=1,
        oracle_rate=1.0,
        random_rate=0.05,
    )

    def skill(self, level: int, *, seed: int, held_out: bool = True) -> Skill:
        """A skill of `level` steps that has requests; see `World.skill`.

        Raises:
            ValueError: no such level.
        """
        if level not in {*self.spec.levels, *self.spec.out_of_range}:
            raise ValueError(f"level {level} does not exist in {NAME}, expected 1 to 6")
        rng = random.Random(f"{NAME}:{level}:{seed}:{held_out}")
        return string_skill(
            _askable(held_out_spec if held_out else open_spec, rng, level), seed=seed
        )

    def tasks(
        self,
        skill: Skill,
        split: Split,
        num_tasks: int,
        *,
        seed: int,
        exclude: Collection[str] = (),
    ) -> list[StringTask]:
        """Distinct tasks of a skill; see `World.tasks`."""
        spec = read_checker(skill, NAME, SkillSpec.from_json)
        return draw_tasks(
            spec, family=skill.name, split=split, num_tasks=num_tasks, seed=seed, exclude=exclude
        )

    def guess(self, task: Task, rng: random.Random) -> str:
        """The symbols of the request in another order and some format."""
        items = _symbols(task.messages[-1]["content"])
        form = FORMATS[rng.choice(tuple(FORMATS))]
        return f"{FINAL} {form.write(tuple(rng.sample(items, len(items))))}"


def _askable(
    draw: Callable[[random.Random, int], SkillSpec], rng: random.Random, num_steps: int
) -> SkillSpec:
    """The first drawn skill whose lists stay short enough to be asked for."""
    while True:
        spec = draw(rng, num_steps)
        try:
            random_items(spec, rng)
        except ValueError:
            continue
        return spec


def _symbols(request: str) -> Symbols:
    """The list at the end of a request."""
    words = request.split()
    first = len(words)
    while first and words[first - 1] in ALPHABET:
        first -= 1
    return tuple(words[first:])


WORLD = StringWorld()
