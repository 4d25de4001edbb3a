"""SKILL0: skills stand in the context at first and leave it by what they still give. Pure.

A run has equally long phases with a budget of M texts each, the last budget 0 as a rule. At every
validation the gain of each text that stands is measured, with it and without it; then

    those of gain < 0 leave; the others are ordered by gain, the largest first; M of them stay.

A general text holds one of the M places while M > 0, whatever it gives; M = 0 removes everything.
Between validations a falling budget takes the least of the last order.

Source: SKILL0, arXiv:2604.02268, and its repository's `curriculum_skill_manager.py`. Departs: a
text that has left comes back only where `reentry` says so (the repository ranks dropped files
again); a gain is measured by toggling one text; contexts are texts, not images.
Owns which texts stay. Refuses to own the measuring (`bank/utility.py`) and how texts become a
context. To add an order of withdrawal: other gains (`random_gains` is the control).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ...adapters.errors import UsageError
from ..bank.utility import PairedResults
from .curriculum import Categories, CurriculumValue, known_categories
from .schedules import phase_of


@dataclass(frozen=True, slots=True)
class SkillGain:
    """What one text gave at a validation: success with it minus success without it.

    Raises:
        UsageError: it is not finite.
    """

    skill: str
    gain: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.gain):
            raise UsageError(f"{self.skill!r} gains {self.gain}: expected a finite number")


class Withdrawal(CurriculumValue):
    """What stands in the context as a value; the choice for a task is a tuple of names.

    An arm without any text has `budgets=(0,)`; one that keeps all has one budget for all of them
    and is told nothing.
    """

    type: Literal["withdrawal"] = "withdrawal"
    skills: Categories
    budgets: tuple[int, ...] = Field(min_length=1)
    """Texts in the context, the general one included, by phase; see `linear_budgets`."""
    num_steps: int = Field(ge=1)
    general: str | None = None
    """A text of `skills` that is never ranked and leaves last."""
    reentry: bool = False
    """Whether a text that has left may come back; only then may a budget rise."""
    order: tuple[str, ...] | None = None
    """What may stand now, best first, without the general one; None before any validation."""
    moving: ClassVar[frozenset[str]] = frozenset({"order"})

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        named = {*(self.order or ()), self.general or self.skills[0]}
        if odd := sorted(named.difference(self.skills)):
            raise ValueError(f"{odd}: expected some of the skills {self.skills}")
        falling = list(self.budgets) == sorted(self.budgets, reverse=True)
        if min(self.budgets) < 0 or not (falling or self.reentry):
            raise ValueError(f"budgets {self.budgets}: expected falling ones from 0, or reentry")
        return self

    def shown(self, step: int) -> tuple[str, ...]:
        """The texts in the context at `step`, the general one first, then by gain."""
        budget = self._budget(step)
        if budget == 0:
            return ()
        head = (self.general,) if self.general else ()
        return (*head, *self._ranked()[: budget - len(head)])

    def observe(self, step: int, seen: Sequence[SkillGain]) -> "Withdrawal":
        """After a validation at `step`: what may stand from the next step on.

        Args:
            seen: the gain of every text that stands at `step` (with `reentry`, of every text), but
                for the general one; empty where nothing was validated.

        Raises:
            UsageError: such a gain is missing or told twice, or the text is unknown.
        """
        if not seen:
            return self
        gains = {one.skill: one.gain for one in seen}
        known_categories(gains, self.skills)
        standing = self.skills if self.reentry else self.shown(step)
        candidates = [name for name in standing if name != self.general]
        if len(gains) != len(seen) or not gains.keys() >= set(candidates):
            raise UsageError(
                f"gains of {[one.skill for one in seen]}: expected each of {candidates} once"
            )
        kept = sorted((n for n in candidates if gains[n] >= 0), key=lambda n: -gains[n])
        return self.model_copy(update={"order": tuple(kept)})

    def next(self, step: int, *, rng: np.random.Generator, num: int) -> tuple[tuple[str, ...], ...]:
        """The same texts for every task of the step."""
        return (self.shown(step),) * num

    def _budget(self, step: int) -> int:
        phase = phase_of(step, num_steps=self.num_steps, num_phases=len(self.budgets))
        return self.budgets[phase]

    def _ranked(self) -> tuple[str, ...]:
        order = self.skills if self.order is None else self.order
        return tuple(name for name in order if name != self.general)


def family_gain(results: PairedResults) -> float:
    """The gain of a text: mean over its task types of success with it minus without it.

    Args:
        results: the candidate is the context with the text; a family is a task type.
    """
    gains = results.by_family().values()
    return math.fsum(gains) / len(gains)


def random_gains(skills: Sequence[str], *, rng: np.random.Generator) -> tuple[SkillGain, ...]:
    """Control: gains in [0, 1) that say nothing, so that texts leave in random order."""
    return tuple(SkillGain(name, float(rng.random())) for name in skills)


def compression_bonus(
    full_tokens: int, tokens: int, *, passed: bool, step: int, factor: float = 0.01, every: int = 8
) -> float:
    """What a success adds to its reward for a short prompt: factor * ln(full / actual).

    On every `every`-th step, the last of each row of so many; 0 on others and for a failure.

    Args:
        full_tokens: of the prompt with all texts.
        tokens: of the prompt as it was.

    Raises:
        UsageError: a prompt without tokens, or one longer than the full one.
    Source: SKILL0, arXiv:2604.02268. Departs: the factor compares lengths of prompts; theirs
        compares images.
    """
    if not 0 < tokens <= full_tokens:
        raise UsageError(f"{tokens} tokens of {full_tokens}: expected from 1 to all of them")
    if not passed or (step + 1) % every:
        return 0.0
    return factor * math.log(full_tokens / tokens)
