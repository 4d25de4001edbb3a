"""Advantages of a group as terms of a sum. Pure.

Owns the way from a group's rewards to the estimators of `learning/advantages.py` and back to its
rollouts. To add one that several recipes share: a frozen class with a `name` that takes a group;
its law is that equal rewards give exactly 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..learning.advantages import dr_grpo, group_normalised, leave_one_out
from .credit import Credit, PerTurn
from .groups import Group
from .settings import AdvantageName

ESTIMATORS: dict[AdvantageName, Callable[[Tensor], Tensor]] = {
    "group_normalised": group_normalised,
    "dr_grpo": dr_grpo,
    "leave_one_out": leave_one_out,
}
"""From (1, G) rewards to (1, G) advantages."""


@dataclass(frozen=True)
class RewardTerm:
    """The method's advantage of a rollout's reward among those of its own arm.

    An arm of one rollout has nobody to be compared with and gets 0.
    """

    advantage: AdvantageName
    name: str = "reward"

    def __call__(self, group: Group) -> Sequence[Credit]:
        credit = [0.0] * len(group.rollouts)
        for arm in group.arms:
            places = group.places(arm)
            found = _compared([group.rewards[at] for at in places], self.advantage)
            for at, value in zip(places, found, strict=True):
                credit[at] = value
        return credit


@dataclass(frozen=True)
class TurnTerm:
    """Credit by turn: the discounted rewards from a turn on, among the rollouts of the arm that
    reached it.

    `G_t = sum_(u >= t) discount^(u - t) r_u` with the world's own rewards of turns.
    """

    advantage: AdvantageName
    discount: float = 1.0
    name: str = "turn"

    def __call__(self, group: Group) -> Sequence[Credit]:
        returns = [
            returns_to_go([turn.reward for turn in one.trajectory.turns], self.discount)
            for one in group.rollouts
        ]
        credit = [[0.0] * len(one) for one in returns]
        for arm in group.arms:
            places = group.places(arm)
            for turn in range(max((len(returns[at]) for at in places), default=0)):
                there = [at for at in places if turn < len(returns[at])]
                found = _compared([returns[at][turn] for at in there], self.advantage)
                for at, value in zip(there, found, strict=True):
                    credit[at][turn] = value
        return [PerTurn(tuple(one)) for one in credit]


def returns_to_go(rewards: Sequence[float], discount: float = 1.0) -> tuple[float, ...]:
    """What is still to come at every turn, its own reward included."""
    found: list[float] = []
    total = 0.0
    for reward in reversed(rewards):
        total = reward + discount * total
        found.append(total)
    return tuple(reversed(found))


def _compared(rewards: Sequence[float], advantage: AdvantageName) -> list[float]:
    if len(rewards) < 2:
        return [0.0] * len(rewards)
    rewards_1G = torch.tensor([list(rewards)], dtype=torch.float64)
    found: list[float] = ESTIMATORS[advantage](rewards_1G)[0].tolist()
    return found
