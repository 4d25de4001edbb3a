"""From log-probabilities of learned tokens to the loss of a method. Pure.

Owns how the formulas of `learning/losses.py` are put together. Refuses to own gradients and steps
(`update.py`). Shapes: `B` rows, `T` learned tokens of a row.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..learning.losses import aggregate, kl, policy_loss, truncated_weights
from .learned import Learned
from .settings import Method, RlSettings


@dataclass(frozen=True, slots=True)
class Objective:
    """What a batch is turned into a loss by.

    Args:
        tis_cap: largest importance weight of a token.
        answer_tokens: the fixed length of aggregation `dr`.
    """

    method: Method
    tis_cap: float = 2.0
    answer_tokens: int = 128

    @classmethod
    def of(cls, settings: RlSettings) -> "Objective":
        """What the settings of a run say."""
        return cls(settings.resolved, settings.tis_cap, settings.answer_tokens)

    @property
    def dr_length(self) -> int | None:
        """As `aggregate` takes it."""
        return self.answer_tokens if self.method.aggregation == "dr" else None


def losses_of(
    found: Learned,
    logp_BT: Tensor,
    old_BT: Tensor,
    base_BT: Tensor | None,
    objective: Objective,
) -> tuple[Tensor, Tensor, Tensor]:
    """The loss of some rows in its three summands.

    Args:
        logp_BT: of the trainer, with gradient; 0 where nothing is learned.
        old_BT: what the ratio is over, and what the importance weights are of.
        base_BT: of the base alone; None leaves it out.
    Returns:
        Policy loss, imitation, and KL with its coefficient.
    """
    method, mask = objective.method, found.mask_BT
    low, high = method.clip
    weights = truncated_weights(old_BT, found.sampler_BT, mask, limit=objective.tis_cap)
    policy = policy_loss(
        logp_BT, old_BT, found.advantages_BT, mask, clip_low=low, clip_high=high,
        weights=weights * found.policy_B[:, None], how=method.aggregation,
        dr_length=objective.dr_length,
    )  # fmt: skip
    imitated = -logp_BT * found.sft_B[:, None]
    sft = aggregate(imitated, mask, method.aggregation, dr_length=objective.dr_length)
    if base_BT is None:
        return policy, sft, torch.zeros_like(policy)
    apart = kl(logp_BT, base_BT, mask)
    far = aggregate(apart, mask, method.aggregation, dr_length=objective.dr_length)
    return policy, sft, method.kl * far


def clipped(found: Learned, logp_BT: Tensor, old_BT: Tensor, method: Method) -> Tensor:
    """Where the clip holds the ratio, so that a token gets no gradient from the policy loss."""
    ratio = torch.where(found.mask_BT > 0, logp_BT - old_BT, 0.0).exp()
    low, high = method.clip
    over = (found.advantages_BT > 0) & (ratio > (math.inf if high is None else 1 + high))
    under = (found.advantages_BT < 0) & (ratio < (0.0 if low is None else 1 - low))
    return (over | under) & (found.mask_BT > 0)
