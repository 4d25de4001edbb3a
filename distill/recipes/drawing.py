"""Skills and held-out items of any world, as every recipe that draws its own needs them."""

from collections.abc import Collection, Sequence
from pathlib import Path

from ...adapters.skills import Skill, read_skill, write_skill
from ..worlds.checkers import worlds
from ..worlds.types import Split, Task

_MOST_DRAWS = 50


def draw_skills(
    world: str, levels: Sequence[int], *, folder: Path, seed: int, held_out: bool = True
) -> list[Skill]:
    """One skill a level as folders below `folder`, with names that differ.

    Raises:
        ValueError: fifty draws in a row had a name that another skill has.
    """
    drawn: dict[str, Skill] = {}
    for place, level in enumerate(levels):
        for number in range(_MOST_DRAWS):
            draw = (seed * len(levels) + place) * _MOST_DRAWS + number
            skill = worlds()[world].skill(level, seed=draw, held_out=held_out)
            if skill.name not in drawn:
                break
        else:
            raise ValueError(f"world {world!r} has too few names for {len(levels)} skills")
        drawn[skill.name] = read_skill(write_skill(skill, folder / skill.name).parent)[0]
    return list(drawn.values())


def draw_items(
    world: str,
    skills: Sequence[Skill],
    *,
    num_items: int,
    seed: int,
    split: Split = "test",
    exclude: Collection[str] = (),
) -> list[Task]:
    """So many tasks of every skill from one split.

    Raises:
        ValueError: a skill does not have so many.
    """
    tasks = worlds()[world].tasks
    return [
        task
        for skill in skills
        for task in tasks(skill, split, num_items, seed=seed, exclude=exclude)
    ]
