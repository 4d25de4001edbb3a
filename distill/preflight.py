"""Preflight: refuse what cannot work before anything is spent.

Two gates. `require_trainable` needs no engine: a checker must exist, and a body must lie inside
the worlds that the tiny base knows. `measure_text` asks a few requests with and without the text:
where the text does not help this base, there is nothing for an adapter to learn from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..adapters.card import Frame
from ..adapters.errors import RefusedSkill
from ..adapters.names import validate_name
from ..adapters.skills import Skill
from .demonstrations import with_skill
from .policy import Policy, Sampling, bounded_map
from .token_meter import MAX_BYTE_SHARE, TokenMeter
from .worlds.checkers import Checker, checker_of
from .worlds.types import Task

MIN_GAIN = 0.20
"""Smallest gain of the text over no text, in share of requests passed, worth an adapter."""

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


@dataclass(frozen=True)
class TextGain:
    """Share of `n` requests passed with and without the skill's text."""

    with_text: float
    without_text: float
    n: int

    @property
    def gain(self) -> float:
        return self.with_text - self.without_text

    @property
    def helps(self) -> bool:
        return self.gain >= MIN_GAIN


async def measure_text(
    skill: Skill,
    tasks: Sequence[Task],
    *,
    policy: Policy,
    model: str,
    frame: Frame,
    sampling: Sampling,
    concurrency: int = 32,
) -> TextGain:
    """Ask every task with and without the text."""

    async def passes(task: Task) -> tuple[bool, bool]:
        told = await policy.complete(
            with_skill(skill, task.messages, frame), model=model, sampling=sampling
        )
        system = [] if frame.system is None else [{"role": "system", "content": frame.system}]
        bare = await policy.complete([*system, *task.messages], model=model, sampling=sampling)
        return task.verify(told.text).passed, task.verify(bare.text).passed

    seen = await bounded_map(passes, tasks, concurrency=concurrency)
    told, bare = (sum(column) / len(seen) for column in zip(*seen, strict=True))
    return TextGain(told, bare, len(seen))


def require_helpful(skill: Skill, gain: TextGain) -> None:
    """Refuse a skill whose text does not help this base.

    Raises:
        RefusedSkill: with both numbers and what to try.
    """
    if not gain.helps:
        raise RefusedSkill(
            f"skill {skill.name!r}: its text does not help this base: {gain.with_text:.0%} of "
            f"{gain.n} requests pass with the text, {gain.without_text:.0%} without it, expected a "
            f"gain of at least {MIN_GAIN:.0%}. Try a clearer text, a stronger `--base`, another "
            "`--teacher`, or `--force` to train all the same."
        )
