"""Preflight: does the text help this base at all? Measured on a few requests before any spending.

Where it does not help, there is nothing for an adapter to learn from it. The gate that needs no
engine is in `trainable`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..adapters.card import Frame
from ..adapters.errors import RefusedSkill
from ..adapters.skills import Skill
from .demonstrations import Teacher, with_skill
from .policy import Sampling, bounded_map
from .rendering import framed
from .worlds.types import Task

MIN_GAIN = 0.20
"""Smallest gain of the text over no text, in share of requests passed, worth an adapter."""


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
    teacher: Teacher,
    frame: Frame,
    sampling: Sampling,
    concurrency: int = 32,
) -> TextGain:
    """Ask every task with and without the text."""

    async def passes(task: Task) -> tuple[bool, bool]:
        told = await teacher.policy.complete(
            with_skill(skill, task.messages, frame), model=teacher.model, sampling=sampling
        )
        bare = await teacher.policy.complete(
            framed(task.messages, frame), model=teacher.model, sampling=sampling
        )
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
