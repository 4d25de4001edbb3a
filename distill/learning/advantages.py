"""From rewards of a group of answers to advantages. Pure.

Owns the estimators. Refuses to own rewards and losses. Those that compare within a group give
exactly 0 where all its rewards are equal: there is nothing to learn from it. To add one: formula
and source in the docstring, hand-worked numbers and the law of equal rewards in the test. Shapes:
`B` prompts, `G` answers of each.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Rewards = Float[Tensor, "B G"]


def group_normalised(rewards_BG: Rewards, *, by_std: bool = True, eps: float = 1e-4) -> Rewards:
    """GRPO: `(r - mean) / (std + eps)` within each group, std over G - 1.

    Args:
        by_std: False leaves the spread as it is (Dr.GRPO, arXiv:2503.20783).
        eps: TRL's, in the units of the rewards.

    Source: GRPO (arXiv:2402.03300) section 4.1.2.
    """
    centred = _centred(rewards_BG)
    if not by_std or rewards_BG.shape[1] < 2:
        return centred
    spread = rewards_BG.std(1, keepdim=True) + eps
    return torch.where(centred == 0, 0.0, centred / spread)


def dr_grpo(rewards_BG: Rewards) -> Rewards:
    """`r - mean` within each group; to be summed over a fixed length (`aggregate(..., "dr")`).

    Source: Dr.GRPO (arXiv:2503.20783) section 3.3.
    """
    return group_normalised(rewards_BG, by_std=False)


def leave_one_out(rewards_BG: Rewards) -> Rewards:
    """RLOO: a reward less the mean of the others of its group, `(r - mean) G / (G - 1)`.

    Raises:
        ValueError: groups of one answer, which has no others.

    Source: RLOO (arXiv:2402.14740) equation 8.
    """
    num = rewards_BG.shape[1]
    if num < 2:
        raise ValueError(f"groups of {num} answers: expected at least 2, to leave one out")
    return _centred(rewards_BG) * (num / (num - 1))


def over_baseline(
    rewards_BG: Rewards, baseline: Float[Tensor, " B"] | float | None = None
) -> Rewards:
    """REINFORCE: a reward less a baseline that does not depend on it.

    Args:
        baseline: of each prompt, such as a running mean; None takes the mean of the batch. With it
            equal rewards give 0 only where they equal it.
    """
    if baseline is None:
        return _centred(rewards_BG.reshape(1, -1)).view_as(rewards_BG)
    return rewards_BG - (baseline[:, None] if isinstance(baseline, Tensor) else baseline)


def is_informative(rewards_BG: Rewards) -> Bool[Tensor, " B"]:
    """Which groups have two rewards that differ; DAPO draws until all of a batch do."""
    return (rewards_BG != rewards_BG[:, :1]).any(1)


def _centred(rewards_BG: Rewards) -> Rewards:
    """Less the mean; exactly 0 where all are equal, whatever rounding does to their mean."""
    centred = rewards_BG - rewards_BG.mean(1, keepdim=True)
    return torch.where(is_informative(rewards_BG)[:, None], centred, 0.0)
