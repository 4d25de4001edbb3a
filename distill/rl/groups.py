"""The answers to one task at one step, and which of such groups a step learns from. Pure.

Owns the values and the rules for groups whose rewards are all equal. Refuses to own rewards
(`seams.Scorer`), advantages (`terms.py`) and the drawing of other tasks: `sift` says how many. To
add a rule: a word of `settings.ZeroVariance` and its line in `sift`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from ...adapters.errors import UsageError
from ..rollouts.learnable import ON_POLICY, LearnRule
from ..rollouts.trajectory import Trajectory
from .settings import ZeroVariance

Series = tuple[tuple[float, ...], ...]
"""One number for each token of each row that `learnable.rows_of` makes of a trajectory."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """A trajectory as it is learned from.

    Args:
        arm: of the plan; rewards are compared within it.
        reward: what the scorer gave; the verdict's, until then.
        rule: which tokens may get gradient.
        series: what a scorer found by token, such as log-probabilities in another context or
            entropies, by name.
    """

    trajectory: Trajectory
    arm: str = ""
    reward: float = 0.0
    rule: LearnRule = ON_POLICY
    series: Mapping[str, Series] = field(default_factory=dict)

    @classmethod
    def of(cls, trajectory: Trajectory, *, arm: str = "", rule: LearnRule = ON_POLICY) -> Self:
        """A trajectory with its verdict's reward."""
        return cls(trajectory, arm, trajectory.reward, rule)


@dataclass(frozen=True, slots=True)
class Group:
    """What was played for one task at one step, without what could not be played to its end.

    Args:
        num_failed: trajectories that are left out because playing itself failed: what an engine
            or a world did is no evidence about a policy.
    """

    task_id: str
    step: int
    rollouts: tuple[Rollout, ...]
    num_failed: int = 0

    @classmethod
    def of(cls, rollouts: Sequence[Rollout], *, step: int) -> Self:
        """The group of one task.

        Raises:
            UsageError: no rollout, or rollouts of several tasks.
        """
        tasks = sorted({one.trajectory.task_id for one in rollouts})
        if len(tasks) != 1:
            raise UsageError(f"a group of tasks {tasks}: expected the rollouts of one task")
        played = tuple(one for one in rollouts if not one.trajectory.error)
        return cls(tasks[0], step, played, len(rollouts) - len(played))

    @property
    def rewards(self) -> tuple[float, ...]:
        """Of every rollout, in order."""
        return tuple(one.reward for one in self.rollouts)

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms, in the order of their first rollouts."""
        return tuple(dict.fromkeys(one.arm for one in self.rollouts))

    def places(self, arm: str) -> tuple[int, ...]:
        """Where the rollouts of one arm stand."""
        return tuple(at for at, one in enumerate(self.rollouts) if one.arm == arm)

    @property
    def informative(self) -> bool:
        """Whether two of its rewards differ."""
        return len(set(self.rewards)) > 1


@dataclass(frozen=True, slots=True)
class Sifted:
    """What a step learns from.

    Args:
        num_equal: groups without two rewards that differ, whatever became of them.
        num_missing: groups to draw in place of those that were left out.
    """

    groups: tuple[Group, ...]
    num_equal: int
    num_missing: int


def sift(groups: Sequence[Group], rule: ZeroVariance, *, redraws_left: int = 0) -> Sifted:
    """Apply the rule for groups of equal rewards; one without rollouts is left out by any rule.

    Curricula are shown `groups`, not what is left of them: a share of successes that was counted
    on informative groups alone is none.

    Args:
        groups: all of the step so far, those of earlier draws included.
        redraws_left: how often the step may still draw; 0 goes on with what there is.
    """
    played = [one for one in groups if one.rollouts]
    telling = [one for one in played if one.informative]
    kept = played if rule == "keep" else telling
    missing = len(groups) - len(kept) if rule == "resample" and redraws_left > 0 else 0
    return Sifted(tuple(kept), len(played) - len(telling), missing)
