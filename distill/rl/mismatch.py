"""How far the trainer is from the engine that drew its tokens, and when to stop. Pure.

Owns the statistics of `d = trainer log-probability - sampler log-probability` and the stop rule.
Refuses to own the correction (`losses.truncated_weights`). `d` holds numerics and, where
trajectories are behind, what the steps since then changed. Shapes: `B` rows, `T` tokens.
"""

import math
from dataclasses import dataclass, replace

from torch import Tensor

from ...adapters.errors import TrainingDiverged
from ..learning.losses import kl


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Of one update, over the learned tokens that the policy drew; in nats.

    Args:
        mean_abs, max_abs: of d.
        k3: mean of `exp(d) - 1 - d`, an estimate of KL(sampler || trainer).
        truncated_share: tokens whose importance weight was cut at the cap, among those drawn.
        masked_share: learned tokens that were not drawn, among all learned; no correction there.
        num_tokens: drawn tokens; with 0 of them the figures are 0.
    """

    mean_abs: float
    max_abs: float
    k3: float
    truncated_share: float
    masked_share: float
    num_tokens: int


def mismatch_of(
    trainer_logp: Tensor, sampler_logp: Tensor, mask: Tensor, *, cap: float = 2.0
) -> Mismatch:
    """The statistics of one update.

    Args:
        trainer_logp, sampler_logp: `(B, T)`; the sampler's are NaN where it did not draw.
        mask: 1 where a token is learned.
        cap: of the importance weights.
    """
    learned = mask > 0
    drawn = learned & ~sampler_logp.isnan()
    num, num_learned = int(drawn.sum()), int(learned.sum())
    masked = (num_learned - num) / max(num_learned, 1)
    if not num:
        return Mismatch(0.0, 0.0, 0.0, 0.0, masked, 0)
    trainer, sampler = (one.detach()[drawn].double() for one in (trainer_logp, sampler_logp))
    d = trainer - sampler
    return Mismatch(
        mean_abs=float(d.abs().mean()),
        max_abs=float(d.abs().max()),
        k3=float(kl(sampler[None], trainer[None]).mean()),
        truncated_share=float((d > math.log(cap)).double().mean()),
        masked_share=masked,
        num_tokens=num,
    )


@dataclass(frozen=True, slots=True)
class MismatchMonitor:
    """The stop rule: mean |d| above `factor` times its first value, and above `floor`.

    A value with a step, `seen`, that returns the next one; `first` stands in the checkpoint. The
    floor lets a first value stand that is all rounding: two engines in float32 begin near 1e-6.
    """

    factor: float = 10.0
    floor: float = 0.05
    first: float | None = None

    @property
    def bound(self) -> float:
        """What mean |d| may reach; without a bound before anything was seen."""
        return math.inf if self.first is None else max(self.factor * self.first, self.floor)

    def seen(self, found: Mismatch) -> "MismatchMonitor":
        """The monitor after one more update; one without drawn tokens says nothing.

        Raises:
            TrainingDiverged: mean |d| is above the bound, or no number.
        """
        if not found.num_tokens:
            return self
        if not math.isfinite(found.mean_abs) or found.mean_abs > self.bound:
            raise TrainingDiverged(
                f"trainer and engine differ by {found.mean_abs:.3g} nats a token, {self.first} at "
                f"first: expected at most {self.bound:.3g} ({self.factor:g} times the first, and "
                f"no less than {self.floor:g}); look whether the engine serves the version that "
                "rollouts name, with the base and the dtype of the trainer"
            )
        return replace(self, first=found.mean_abs) if self.first is None else self
