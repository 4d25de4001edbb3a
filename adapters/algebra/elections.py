"""Which sign wins at each entry, and the mean of those who voted for it. Pure.

Shape letters: `N` adapters, `H` rows of a block, `I` in features.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

SignElection = Literal["total", "frequency"]
"""By the sum of the values (unweighted), or by their number."""


def elected_mean(
    block_NHI: Float[Tensor, "N H I"], weights_N: Float[Tensor, " N"], election: SignElection
) -> Float[Tensor, "H I"]:
    """`sum_i w_i x_i [sign x_i = m] / max(1, sum_i [sign x_i = m])`, `m` the elected sign.

    `m = +1` where the sum of the values ("total") or of their signs ("frequency") is `>= 0`, else
    `-1`; weights do not vote. Zeros never agree. **The block is overwritten.**

    Source: TIES (arXiv:2306.01708), steps elect and disjoint merge, as PEFT 0.21 does them.
    """
    once_N = torch.ones_like(weights_N)
    votes_HI = weighted_sum(block_NHI if election == "total" else block_NHI.sign(), once_N)
    elected_HI = torch.copysign(once_N[0], votes_HI)  # -0.0 is a sum of zeros: nobody to agree
    block_NHI.mul_(elected_HI).relu_()
    mean_HI = weighted_sum(block_NHI, weights_N)
    num_agreeing = weighted_sum(block_NHI.sign_(), once_N).clamp_(min=1.0)
    return mean_HI.mul_(elected_HI).div_(num_agreeing)


def weighted_sum(
    block_NHI: Float[Tensor, "N H I"], weights_N: Float[Tensor, " N"]
) -> Float[Tensor, "H I"]:
    """`sum_i w_i x_i`."""
    num, height, columns = block_NHI.shape
    flat = block_NHI.reshape(num, height * columns)
    return torch.mv(flat.mT, weights_N).view(height, columns)
