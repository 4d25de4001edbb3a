"""How much of a demonstration stands before the policy's own tokens: Prefix-RFT and ADHint. Pure.

    Prefix-RFT  share ~ U(low(t), high), low(t) = high * decay(t): at first the whole of `high`,
                at last anything down to 0
    ADHint      share = clip((w_max - w_min) * Diff + w_min + noise, w_min, w_max),
                Diff = 1 - mean reward of the answers without a hint

The first is a curriculum of time, the second a function of a group's own answers, which are played
first. What is forced are the first floor(share * T) tokens of the expert's answer, of provenance
`demo_prefix` or `hint`; which of them are learned is the arm's `LearnRule`. A skill's text as a
hint is no prefix but a system text: prompt, and never learned.

Source: Prefix-RFT, arXiv:2507.01679: shape and floor; `high` was not found, ours is 0.95. ADHint,
arXiv:2512.13095: the ratio; its range and noise were not found, ours are 0.1 to 0.8 and a standard
deviation of 0.05, and no hint where half of the answers pass without one.
Owns the shares. Refuses to own the forcing (`rollouts/prefixes.py`) and what the tokens are worth
(`hint_credit.py`).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...adapters.errors import UsageError
from ..rollouts.prefixes import Decision, Forced, Prefix, demo_prefix
from ..rollouts.trajectory import Provenance
from .curriculum import CurriculumValue
from .schedules import Shape, decay


class PrefixShares(CurriculumValue):
    """Prefix-RFT's schedule as a value; a choice is the share of one hybrid rollout's prefix.

    The arm without a schedule is `shape="constant"` with its `low`; a whole demonstration is no
    prefix but a demonstration.
    """

    type: Literal["prefix-shares"] = "prefix-shares"
    num_steps: int = Field(ge=1)
    high: float = Field(0.95, gt=0, lt=1)
    low: float = Field(0.0, ge=0, lt=1)
    """Where the lower bound ends."""
    shape: Shape = "cosine"
    """How the lower bound falls from `high` to `low`; constant: it is `low` at every step."""

    @model_validator(mode="after")
    def _low_is_below_high(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low is {self.low} and high is {self.high}: expected low up to high")
        return self

    def observe(self, step: int, seen: Sequence[object]) -> "PrefixShares":
        return self

    def bounds(self, step: int) -> tuple[float, float]:
        """The least and the largest share at `step`."""
        if self.shape == "constant":
            return self.low, self.high
        left = decay(step, num_steps=self.num_steps, shape=self.shape)
        return self.low + (self.high - self.low) * left, self.high

    def next(self, step: int, *, rng: np.random.Generator, num: int) -> tuple[float, ...]:
        """A share for each hybrid rollout."""
        return tuple(float(share) for share in rng.uniform(*self.bounds(step), size=num))


class HintRule(BaseModel):
    """ADHint's numbers: how much help a group's difficulty calls for."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    least: float = Field(0.1, ge=0, lt=1)
    """w_min: the share where the task is easy."""
    most: float = Field(0.8, ge=0, lt=1)
    """w_max: the share where no answer passes."""
    noise: float = Field(0.05, ge=0)
    """Standard deviation of what is added before clipping."""
    no_hint_from: float = 0.5
    """A mean reward from here on needs no hint."""

    @model_validator(mode="after")
    def _least_is_least(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"least is {self.least}, most is {self.most}: expected least first")
        return self

    def share(self, rewards: Sequence[float], *, rng: np.random.Generator) -> float:
        """The share of the demonstration that this group's hint holds; 0 for no hint.

        One number is drawn from `rng` in any case, so that what others draw does not depend on it.

        Args:
            rewards: in [0, 1], of the answers without a hint.

        Raises:
            UsageError: there are none, or one lies outside.
        """
        noise = self.noise * float(rng.standard_normal())
        hard = difficulty(rewards)
        if 1 - hard >= self.no_hint_from:
            return 0.0
        return min(self.most, max(self.least, (self.most - self.least) * hard + self.least + noise))


def difficulty(rewards: Sequence[float]) -> float:
    """Diff = 1 - mean reward of a group's answers without a hint.

    Raises:
        UsageError: no reward, or one outside [0, 1].
    """
    if not rewards or not all(0 <= reward <= 1 for reward in rewards):
        raise UsageError(f"rewards {tuple(rewards)}: expected at least one, all in [0, 1]")
    return 1 - sum(rewards) / len(rewards)


def shown_prefix(share: float, provenance: Provenance = "hint") -> Prefix:
    """The first answer begins with this share of the expert's tokens, rounded down, as a hint.

    As `demo_prefix`, but for the provenance, by which a method says what it learns from them.

    Raises:
        ValueError: the share lies outside [0, 1).
    """
    demonstrated = demo_prefix(share)

    def plan(decision: Decision) -> Forced | None:
        forced = demonstrated(decision)
        return forced and replace(forced, provenance=provenance)

    return plan


def group_prefixes(samples: int, shares: Sequence[float]) -> tuple[Prefix | None, ...]:
    """A group of so many answers of which the last ones begin with a demonstration's prefix.

    Prefix-RFT has one share: N - 1 ordinary answers and one hybrid, at the budget of N.

    Raises:
        UsageError: no ordinary answer is left; the hybrid ones are compared with them.
    """
    if samples <= len(shares):
        raise UsageError(f"{len(shares)} prefixes in a group of {samples}: expected fewer")
    ordinary: tuple[Prefix | None, ...] = (None,) * (samples - len(shares))
    return ordinary + tuple(map(demo_prefix, shares))
