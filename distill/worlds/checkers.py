"""From a skill folder to its checker: which world can verify answers to this skill.

Owns the table of worlds. A world joins by one import and its place in `_WORLDS`; a world that
needs a foreign package imports it where it draws, never at the top. A skill without the metadata
has no checker: `None`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ...adapters.errors import SkillError
from ...adapters.skills import Skill
from . import constraints, facts, fg, household, reasoning, string_skills
from .metadata import WORLD_KEY
from .types import Split, Task
from .world import World

_WORLDS: dict[str, World] = {
    world.spec.name: world
    for world in (
        string_skills.WORLD,
        facts.WORLD,
        fg.WORLD,
        constraints.WORLD,
        household.WORLD,
        reasoning.WORLD,
    )
}  # fmt: skip


def worlds() -> Mapping[str, World]:
    """Every world by its name."""
    return dict(_WORLDS)


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
        except SkillError:
            raise
        except ValueError as err:
            raise SkillError(f"skill {self.family!r} cannot be asked: {err}") from err


def _drawn(
    world: World, skill: Skill, split: Split, count: int, seed: int, exclude: Collection[str]
) -> Sequence[Task]:
    return world.tasks(skill, split, count, seed=seed, exclude=exclude)


def checker_of(skill: Skill) -> Checker | None:
    """The checker that a skill names in its metadata, or None where it names none.

    Raises:
        SkillError: the skill names a world that does not exist, a checker it cannot read, or one
            that no request satisfies.
    """
    name = skill.metadata.get(WORLD_KEY)
    if name is None:
        return None
    if name not in _WORLDS:
        raise SkillError(
            f"skill {skill.name!r} names the world {name!r} in metadata {WORLD_KEY!r}, expected "
            f"one of {', '.join(_WORLDS)}; remove the key or correct it"
        )
    checker = Checker(name, skill.name, partial(_drawn, _WORLDS[name], skill))
    checker.tasks("train", 1, seed=0)
    return checker
