"""The keys under which a skill names its world and carries its checker, and how they are read.

Owns the two metadata keys. Refuses to know any world: each gives its own parser.
"""

from collections.abc import Callable
from typing import TypeVar

from ...adapters.errors import SkillError
from ...adapters.skills import Skill

WORLD_KEY = "skillweave.world"
CHECKER_KEY = "skillweave.checker"

_SHOWN = 500
"""Most characters of a complaint about a checker, which may be as long as the checker."""

Spec = TypeVar("Spec")


def read_checker(skill: Skill, world: str, parse: Callable[[str], Spec]) -> Spec:
    """The value behind a skill's tasks, from its metadata and never from its body.

    Args:
        parse: from the checker's text; a ValueError says what is wrong with it.

    Raises:
        SkillError: the skill is of another world, or its checker cannot be read.
    """
    named = skill.metadata.get(WORLD_KEY)
    if named != world:
        raise SkillError(
            f"skill {skill.name!r} names the world {named!r} in metadata {WORLD_KEY!r}, "
            f"expected {world!r}; take the world that `worlds()` has under its name"
        )
    try:
        return parse(skill.metadata.get(CHECKER_KEY, ""))
    except (ValueError, RecursionError) as err:
        why = str(err)[:_SHOWN]
        raise SkillError(
            f"skill {skill.name!r} has an unreadable checker in metadata {CHECKER_KEY!r}: {why}; "
            "draw the skill anew, or restore the line that its world wrote"
        ) from err
