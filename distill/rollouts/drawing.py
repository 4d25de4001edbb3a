"""Drawing tokens: from logits to the next token of each row. Pure tensors.

Owns greedy choice, temperature, top-k, top-p, and one generator a row, so that what a row draws
does not depend on its neighbours. Shape letters: `B` rows, `V` vocabulary.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from .sampling import Sampling


def draw_next(
    logits_BV: Tensor, samplings: Sequence[Sampling], generators: Sequence[torch.Generator]
) -> Tensor:
    """The next token of every row, (B,) int64.

    One uniform number a row is turned into a token by the inverse of the cumulated probabilities;
    a greedy row uses none. Generators stand on the CPU, so the draws are the same on any device.

    Args:
        logits_BV: float32 or float64.
    """
    chosen_B = logits_BV.argmax(-1)
    rows = [row for row, how in enumerate(samplings) if not how.greedy]
    if not rows:
        return chosen_B
    hows = [samplings[row] for row in rows]
    heat_B1 = torch.tensor([[how.temperature] for how in hows], device=logits_BV.device)
    probs_BV = (logits_BV[rows] / heat_B1).double().softmax(-1)
    for place, how in enumerate(hows):
        if how.top_k or how.top_p < 1:
            probs_BV[place] = kept(probs_BV[place], top_k=how.top_k, top_p=how.top_p)
    uniform_B1 = torch.stack([torch.rand(1, generator=generators[row]) for row in rows])
    cumulated_BV = probs_BV.cumsum(-1)
    target_B1 = uniform_B1.to(cumulated_BV) * cumulated_BV[:, -1:]
    found_B1 = torch.searchsorted(cumulated_BV, target_B1, right=True)
    chosen_B[rows] = found_B1[:, 0].clamp(max=logits_BV.shape[-1] - 1)
    return chosen_B


def kept(probs_V: Tensor, *, top_k: int = 0, top_p: float = 1.0) -> Tensor:
    """Probabilities with those outside top-k, then outside top-p, set to 0; not rescaled.

    Top-p keeps the likeliest tokens until their share of what top-k left reaches `top_p`; the
    likeliest one always stays.
    """
    ordered_V, places_V = probs_V.sort(descending=True, stable=True)
    if top_k:
        ordered_V[top_k:] = 0
    before_V = ordered_V.cumsum(-1) - ordered_V
    ordered_V[before_V >= top_p * ordered_V.sum()] = 0
    return torch.zeros_like(probs_V).scatter(0, places_V, ordered_V)
