"""The six seams of the loop, as protocols: where one method differs from another. Pure.

    TaskSampler -> ContextPolicy -> RolloutPlan -> Scorer -> AdvantageTerm[]
    -> LossGate and UpdateTarget

Owns what each is asked and answers. Refuses to own any of them: plain ones are in `plain.py` and
`terms.py`, a paper's own in its recipe. Whatever needs a policy, a teacher or a bank is awaited;
advantages, gates and targets are functions of what was played. A seam that must survive a restart
is a `Stateful` too. All chance comes from the generator passed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from pydantic import JsonValue

from ..rollouts.learnable import ON_POLICY, LearnRule
from ..rollouts.prefixes import Prefix
from ..worlds.types import Task
from .credit import Credit
from .groups import Group, Rollout

Purpose = Literal["train", "eval"]


@runtime_checkable
class Stateful(Protocol):
    """A seam with a memory, which stands in the run's checkpoint."""

    def state(self) -> JsonValue:
        """Everything that later answers depend on, as JSON."""
        ...

    def load_state(self, state: JsonValue) -> None:
        """Go on where `state` was asked for."""
        ...


class TaskSampler(Protocol):
    """What is played: a pool, a ladder, a bandit."""

    def next(self, step: int, num_tasks: int, rng: np.random.Generator) -> Sequence[Task]:
        """Tasks of a step, one a group; asked again within it where groups are redrawn."""
        ...

    def observe(self, step: int, groups: Sequence[Group]) -> None:
        """Told after the step's update: every group, those of equal rewards included."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What the policy is shown and what is written in its place.

    Args:
        system: stands in for the frame's system text, as a skill's text does.
        prefix: tokens that are forced; it says their provenance (`hint`, `demo_prefix`, ...).
        shown: the task as it is asked, such as with a draft in it; None asks it as it is. It has
            the id and the verifier of the task.
        skills: names of what stands in the context, for audits and metrics.
    """

    system: str | None = None
    prefix: Prefix | None = None
    shown: Task | None = None
    skills: tuple[str, ...] = ()


class ContextPolicy(Protocol):
    """What stands before an answer: nothing, the active skills, a draft, a hint."""

    def context(
        self, task: Task, step: int, rng: np.random.Generator, *, purpose: Purpose = "train"
    ) -> Context:
        """Of one task; what a test shows may differ from what training shows."""
        ...


@dataclass(frozen=True, slots=True)
class Arm:
    """Some answers to a task, all drawn alike.

    Args:
        name: rewards are compared within an arm of this name.
        samples: how many; their number goes on over the arms and waves of a group, so that every
            sample of a task has a seed of its own.
        context: None takes the context policy's.
        model: the model string that plays; None is the newest version of the learner.
        rule: which tokens may get gradient; prompt text never.
        paired: number of the first sample; arms with the same one draw with the same seeds. None
            goes on counting.
    """

    samples: int
    name: str = ""
    context: Context | None = None
    model: str | None = None
    rule: LearnRule = ON_POLICY
    paired: int | None = None


class RolloutPlan(Protocol):
    """How a group is made: how many answers, in which arms, in how many waves."""

    async def wave(
        self, task: Task, context: Context, played: Sequence[Rollout], rng: np.random.Generator
    ) -> Sequence[Arm]:
        """What is played next; nothing ends the group.

        Args:
            context: the context policy's.
            played: the scored rollouts of earlier waves: a hint's length follows from how hard
                the task was without one, a candidate skill from the first half of the answers.
        """
        ...


class Scorer(Protocol):
    """From what was played to rewards, and to whatever is measured by token."""

    async def score(self, task: Task, rollouts: Sequence[Rollout]) -> Sequence[Rollout]:
        """The same rollouts in the same order, with `reward` and `series` set."""
        ...


class AdvantageTerm(Protocol):
    """One summand of the advantage; each is logged apart, by its name."""

    @property
    def name(self) -> str: ...

    def __call__(self, group: Group) -> Sequence[Credit]:
        """One credit for each rollout of the group, in order. Pure."""
        ...


@dataclass(frozen=True, slots=True)
class RowLoss:
    """How much of each loss a rollout gets: `policy` weighs the policy loss, `sft` the negative
    log-likelihood of the same tokens."""

    policy: float = 1.0
    sft: float = 0.0


class LossGate(Protocol):
    """Which loss a rollout is for: policy, imitation, or both. Pure."""

    def __call__(self, group: Group, rollout: Rollout) -> RowLoss: ...


class UpdateTarget(Protocol):
    """Whose weights a rollout moves. Pure."""

    def __call__(self, group: Group, rollout: Rollout) -> str | None:
        """A learner's name; None where nobody learns from it."""
        ...
