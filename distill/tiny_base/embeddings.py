"""Draws apart the embeddings of tokens that were never seen in training.

A token that no row shows is only ever pushed down as a wrong answer, and all such tokens by the
same gradients: with tied embeddings they end up as one vector, and a model that later meets them
cannot tell them apart. Owns how such rows are found and spread. Pure.

Shapes: `V` tokens, `I` features.
"""

import torch
from torch import Tensor

COLLAPSED = 0.8
"""Cosine with the mean of all rows from which on a row counts as never seen."""
SPREAD = 0.08
"""Standard deviation of what is added, a feature: rows then differ as much as letters that were
learned do (measured on the first edition: 1.85 apart, where `sqrt(2 * 256) * 0.08` is 1.81)."""


def spread_collapsed(rows_VI: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Add noise to every row that lies along the common direction.

    The common part stays, so the tokens are no likelier as answers than before.

    Returns:
        The rows `(V, I)`, and which of them changed, `(V,)`.
    """
    centre = rows_VI.mean(0, keepdim=True)
    collapsed_V = torch.cosine_similarity(rows_VI, centre, dim=1) > COLLAPSED
    noise_VI = torch.randn(rows_VI.shape, generator=generator) * SPREAD
    return torch.where(collapsed_V[:, None], rows_VI + noise_VI, rows_VI), collapsed_V
