"""The first gate of training: refuse what cannot work before anything is loaded or spent.

A checker must exist, and a body must lie inside the worlds that the tiny base knows. Stays light:
no model library is imported here, so that a refusal comes at once.
"""

from pathlib import Path

from ..adapters.errors import RefusedSkill
from ..adapters.names import validate_name
from ..adapters.skills import Skill
from .tiny_base import is_tiny
from .token_meter import MAX_BYTE_SHARE, TokenMeter, tiny_meter
from .worlds.checkers import Checker, checker_of

_WAYS = (
    "What works: `skillweave serve --skills DIR` serves this skill as text right now; "
    "`--base MODEL` trains on a base that can read it, once the skill has a checker; "
    "a checker is named in the metadata (docs/guide/skills.md)."
)


def require_trainable(skill: Skill, *, meter: TokenMeter | None = None) -> Checker:
    """The skill's checker, or a refusal with the ways that work.

    Args:
        skill: as read.
        meter: the tiny base's, when that is the base; None skips the vocabulary test.

    Raises:
        RefusedSkill: no checker, or too much of the body lies outside the base's vocabulary.
        SkillError: a checker that cannot be read.
        InvalidName: a name that the store cannot keep.
    """
    validate_name(skill.name)
    if not skill.body.strip():
        raise RefusedSkill(f"skill {skill.name!r} has an empty body: there is nothing to learn")
    share = meter.byte_share(skill.body) if meter is not None else None
    if share is not None and share > MAX_BYTE_SHARE:
        raise RefusedSkill(
            f"skill {skill.name!r}: {share:.0%} of its body's tokens are bytes of words that the "
            f"tiny base lacks, expected at most {MAX_BYTE_SHARE:.0%}; it cannot read this. {_WAYS}"
        )
    checker = checker_of(skill)
    if checker is None:
        raise RefusedSkill(
            f"skill {skill.name!r} has no checker, so nobody could tell a right demonstration from "
            f"a wrong one. {_WAYS}"
        )
    return checker


def checked(skill: Skill, base: Path) -> Checker:
    """The skill's checker when it can be trained on this base; see `require_trainable`."""
    return require_trainable(skill, meter=tiny_meter() if is_tiny(base) else None)
