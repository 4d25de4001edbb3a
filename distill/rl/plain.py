"""The seams as they are where a method does not change them. Pure, no torch.

Owns the least of each. To add one that several recipes share: here; a paper's own stays there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..worlds.types import Task
from .groups import Group, Rollout
from .seams import Arm, Context, Purpose, RowLoss

NOTHING = Context()
"""The task as it is, after the frame's own system text."""


@dataclass(frozen=True)
class SameContext:
    """One context for every task, in training and in tests."""

    shown: Context = NOTHING

    def context(
        self, task: Task, step: int, rng: np.random.Generator, *, purpose: Purpose = "train"
    ) -> Context:
        return self.shown


@dataclass(frozen=True)
class OneArm:
    """So many answers in the policy's own context, in one wave."""

    samples: int

    async def wave(
        self, task: Task, context: Context, played: Sequence[Rollout], rng: np.random.Generator
    ) -> Sequence[Arm]:
        return () if played else (Arm(self.samples),)


class VerdictScorer:
    """The verdict's reward."""

    async def score(self, task: Task, rollouts: Sequence[Rollout]) -> Sequence[Rollout]:
        return [replace(one, reward=one.trajectory.reward) for one in rollouts]


def policy_only(group: Group, rollout: Rollout) -> RowLoss:
    """The gate that lets the policy loss through and imitates nothing."""
    return RowLoss()


@dataclass(frozen=True)
class Only:
    """The target of a run with one learner."""

    learner: str

    def __call__(self, group: Group, rollout: Rollout) -> str | None:
        return self.learner
