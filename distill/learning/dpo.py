"""Direct preference optimisation of one adapter: the loss of a batch of pairs.

Owns how a pair of answers becomes log-probabilities under the adapter and under the base, which is
the reference: the adapter is switched off, no second model is loaded. The formula is in
`losses.py`; the optimiser is the caller's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from peft import PeftModel
from torch import Tensor

from ..rendering import TokenRow
from .losses import dpo_loss, token_logp
from .packing import collate


@dataclass(frozen=True)
class Pair:
    """Two answers to one request: the better and the worse, each as a row of its own."""

    chosen: TokenRow
    rejected: TokenRow


def pair_loss(
    model: PeftModel,
    pairs: Sequence[Pair],
    *,
    pad: int,
    beta: float = 0.1,
    normalise: bool = False,
) -> Tensor:
    """Mean DPO loss of some pairs; call `backward` on it.

    Chosen and rejected rows share one pass, and the reference another without a graph.

    Args:
        beta: how strongly the adapter is held to the base.
        normalise: compare means over tokens in place of sums.
    """
    device = next(model.parameters()).device
    rows = [*(pair.chosen for pair in pairs), *(pair.rejected for pair in pairs)]
    ids_BT, attention_BT, labels_BT = (t.to(device) for t in collate(rows, pad=pad))
    labels_BT[:, 0] = -100
    mask = (labels_BT != -100).to(torch.float32)

    def logp() -> Tensor:
        return token_logp(model(input_ids=ids_BT, attention_mask=attention_BT).logits, ids_BT)

    with torch.no_grad(), model.disable_adapter():
        reference = logp()
    own, half = logp(), len(pairs)
    return dpo_loss(
        own[:half],
        own[half:],
        reference[:half],
        reference[half:],
        chosen_mask=mask[:half],
        rejected_mask=mask[half:],
        beta=beta,
        normalise=normalise,
    )
