"""From a skill folder to its checker: which world can verify answers to this skill.

A world joins by one row in `_WORLDS`. A skill without the metadata has no checker: `None`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from ...adapters.errors import SkillError
from ...adapters.skills import Skill
from .string_skills.spec import SkillSpec
from .string_skills.tasks import CHECKER_KEY, WORLD, draw_tasks
from .types import Split, Task

WORLD_KEY = "skillweave.world"


@dataclass(frozen=True)
class Checker:
    """Draws verifiable tasks for one skill."""

    world: str
    family: str
    _draw: Callable[[Split, int, int, Collection[str]], Sequence[Task]]

    def tasks(
        self, split: Split, num_tasks: int, *, seed: int, exclude: Collection[str] = ()
    ) -> list[Task]:
        """Distinct tasks of `split`, the same for the same seed; ids in `exclude` are left out.

        Raises:
            SkillError: the skill does not have so many.
        """
        try:
            return list(self._draw(split, num_tasks, seed, exclude))
        except ValueError as err:
            raise SkillError(f"skill {self.family!r} cannot be asked: {err}") from err


def _string_checker(skill: Skill, text: str) -> Checker:
    spec = SkillSpec.from_json(text)

    def draw(split: Split, count: int, seed: int, exclude: Collection[str]) -> Sequence[Task]:
        return draw_tasks(
            spec, family=skill.name, split=split, num_tasks=count, seed=seed, exclude=exclude
        )

    return Checker(WORLD, skill.name, draw)


_WORLDS: dict[str, Callable[[Skill, str], Checker]] = {WORLD: _string_checker}


def checker_of(skill: Skill) -> Checker | None:
    """The checker that a skill names in its metadata, or None where it names none.

    Raises:
        SkillError: the skill names a world that does not exist, a checker it cannot read, or one
            that no request satisfies.
    """
    world = skill.metadata.get(WORLD_KEY)
    if world is None:
        return None
    if world not in _WORLDS:
        raise SkillError(
            f"skill {skill.name!r} names the world {world!r} in metadata {WORLD_KEY!r}, expected "
            f"one of {', '.join(_WORLDS)}; remove the key or correct it"
        )
    text = skill.metadata.get(CHECKER_KEY, "")
    try:
        checker = _WORLDS[world](skill, text)
    except ValueError as err:
        raise SkillError(
            f"skill {skill.name!r} has an unreadable checker in metadata {CHECKER_KEY!r}: {err}"
        ) from err
    checker.tasks("train", 1, seed=0)
    return checker
