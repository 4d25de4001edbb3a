"""Losses on token log-probabilities. Pure.

Owns the formulas and nothing else: no model, no batch, no step. Masks are 1 where a token counts;
what stands under a 0 never reaches a loss or a gradient, be it infinite. To add one: the formula
and its source in the docstring, hand-worked numbers in the test. Shapes: `B` rows, `T` tokens, `V`
vocabulary.
"""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

Tokens = Float[Tensor, "B T"]
Aggregation = Literal["token", "sequence", "dr"]
"""How losses of tokens become one: the mean over all tokens of the batch (DAPO, arXiv:2503.14476),
the mean of each row's mean (GRPO, arXiv:2402.03300), or the sum over a fixed count (Dr.GRPO,
arXiv:2503.20783)."""


def token_logp(logits: Float[Tensor, "B T V"], ids: Int[Tensor, "B T"]) -> Tokens:
    """Log-probability of each token after the first, from the logits one place before it.

    Returns:
        `(B, T)`, float32 at least; 0 at the first place, which nothing predicts.
    """
    wide = logits if logits.dtype == torch.float64 else logits.float()
    found = wide[:, :-1].log_softmax(-1).gather(2, ids[:, 1:, None])[..., 0]
    return torch.nn.functional.pad(found, (1, 0))


def entropy(logits: Float[Tensor, "*any V"]) -> Float[Tensor, "*any"]:
    """Entropy of the next token in nats: `-sum_v p_v log p_v`; 0 log 0 is 0."""
    wide = logits if logits.dtype == torch.float64 else logits.float()
    logp = wide.log_softmax(-1)
    return -torch.where(logp.isneginf(), 0.0, logp.exp() * logp).sum(-1)


def aggregate(
    values: Tokens, mask: Tokens, how: Aggregation = "token", *, dr_length: int | None = None
) -> Float[Tensor, ""]:
    """One loss from those of tokens.

    Args:
        how: `token` sum / tokens; `sequence` mean over rows of their means, rows without a token
            counting as 0; `dr` sum / (B * dr_length).
        dr_length: the longest answer that was allowed, for `dr` only.

    Raises:
        ValueError: `dr` without a length, or a length without `dr`.
    """
    if (how == "dr") != (dr_length is not None):
        raise ValueError(f"aggregation {how!r} with dr_length {dr_length}: they come together")
    kept = torch.where(mask > 0, values * mask, 0.0)
    if how == "sequence":
        return (kept.sum(1) / mask.sum(1).clamp(min=1)).mean()
    count = mask.sum().clamp(min=1) if dr_length is None else values.shape[0] * dr_length
    return kept.sum() / count


def sft_loss(logp: Tokens, mask: Tokens, *, how: Aggregation = "token") -> Float[Tensor, ""]:
    """Mean negative log-likelihood of the learned tokens."""
    return -aggregate(logp, mask, how)


def policy_loss(
    logp: Tokens,
    denom_logp: Tokens,
    advantages: Float[Tensor, " B"] | Tokens,
    mask: Tokens,
    *,
    clip_low: float | None = 0.2,
    clip_high: float | None = 0.2,
    weights: Tokens | None = None,
    how: Aggregation = "token",
    dr_length: int | None = None,
) -> Float[Tensor, ""]:
    """The unified policy-gradient loss of HPT: only the denominator tells the methods apart.

    `-mean(w * min(r A, clip(r, 1 - low, 1 + high) A))` with `r = exp(logp - denom_logp)`. With
    `denom_logp` the old policy's it is PPO and GRPO; with `logp.detach()` REINFORCE; with that and
    A = 1 its gradient is that of `sft_loss`.

    Args:
        denom_logp: log-probabilities under what the tokens are compared with; no gradient flows.
        advantages: one a row or one a token; no gradient flows.
        clip_low, clip_high: how far below and above 1 the ratio counts; None does not clip.
        weights: of tokens, such as `truncated_weights`; no gradient flows.

    Source: HPT (arXiv:2509.04419) section 3; the clip of PPO (arXiv:1707.06347) equation 7, with
        two bounds as in DAPO (arXiv:2503.14476) equation 10.
    """
    shape = advantages if advantages.dim() == 2 else advantages[:, None]
    advantage = torch.where(mask > 0, shape.detach(), 0.0)
    ratio = _ratio(logp, denom_logp.detach(), mask)
    low = 0.0 if clip_low is None else 1 - clip_low
    high = torch.inf if clip_high is None else 1 + clip_high
    gain = torch.minimum(ratio * advantage, ratio.clamp(low, high) * advantage)
    if weights is not None:
        gain = gain * weights.detach()
    return -aggregate(gain, mask, how, dr_length=dr_length)


def _ratio(logp: Tokens, denom_logp: Tokens, mask: Tokens) -> Tokens:
    """`exp(logp - denom_logp)`, 1 outside the mask, so that nothing there can overflow."""
    return torch.where(mask > 0, logp - denom_logp, 0.0).exp()


def truncated_weights(
    trainer_logp: Tokens, sampler_logp: Tokens, mask: Tokens, *, limit: float = 2.0
) -> Tokens:
    """What corrects sampling by another engine: `min(exp(trainer - sampler), C)` a token.

    A sampler's log-probability that is NaN (a token that it did not draw) has weight 1. No gradient
    flows. Source: truncated importance sampling, with C as in verl's documentation.
    """
    ratio = _ratio(trainer_logp, sampler_logp.nan_to_num(nan=0.0), mask)
    return torch.where(sampler_logp.isnan(), 1.0, ratio).clamp(max=limit).detach()


def kl(
    logp: Tokens,
    ref_logp: Tokens,
    mask: Tokens | None = None,
    *,
    kind: Literal["k1", "k2", "k3"] = "k3",
) -> Tokens:
    """Estimators of KL(policy || reference) a token, on tokens that the policy drew.

    With `d = ref_logp - logp`: k1 `-d` (unbiased, may be negative), k2 `d^2 / 2` (low variance,
    biased), k3 `exp(d) - 1 - d` (unbiased and never negative).

    Args:
        mask: 0 outside it; give it wherever tokens of a prompt stand in the rows. There `exp(d)`
            may overflow, and an infinite value times a mask of 0 has the gradient NaN.

    Source: Schulman (2020), "Approximating KL divergence".
    """
    d = ref_logp - logp if mask is None else torch.where(mask > 0, ref_logp - logp, 0.0)
    if kind == "k1":
        return -d
    return d.square() / 2 if kind == "k2" else d.exp() - 1 - d


def dpo_loss(
    chosen_logp: Tokens,
    rejected_logp: Float[Tensor, "B U"],
    ref_chosen_logp: Tokens,
    ref_rejected_logp: Float[Tensor, "B U"],
    *,
    chosen_mask: Tokens,
    rejected_mask: Float[Tensor, "B U"],
    beta: float = 0.1,
    normalise: bool = False,
) -> Float[Tensor, ""]:
    """Direct preference optimisation: mean of `-log sigmoid(beta (h_chosen - h_rejected))`.

    `h` is a row's log-probability over the reference's: its sum over tokens, or with `normalise`
    its mean, so that length itself is no preference.

    Args:
        ref_*: under the reference, usually the base with the adapter off; no gradient flows.

    Source: Rafailov et al. (arXiv:2305.18290) equation 7; length-normalised as in Tulu 3
        (arXiv:2411.15124) section 5.
    """
    gap = _gain(chosen_logp, ref_chosen_logp, chosen_mask, normalise) - _gain(
        rejected_logp, ref_rejected_logp, rejected_mask, normalise
    )
    return -torch.nn.functional.logsigmoid(beta * gap).mean()


def _gain(logp: Tensor, ref_logp: Tensor, mask: Tensor, normalise: bool) -> Float[Tensor, " B"]:
    total = torch.where(mask > 0, (logp - ref_logp.detach()) * mask, 0.0).sum(1)
    return total / mask.sum(1).clamp(min=1) if normalise else total
