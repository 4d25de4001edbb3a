"""The learned tokens of a batch as tensors. Pure.

Owns the layout: learned tokens alone, so that no number of a prompt token reaches a loss. Shapes:
`B` rows, `T` learned tokens of a row, padded; `K` all of them, in order of rows and places.
"""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


@dataclass(frozen=True)
class Learned:
    """Tensors of the learned tokens, in order of rows and places, padded behind.

    Args:
        sampler_BT: NaN where the policy did not draw a token.
        policy_B: weight of each row's policy loss; `sft_B` that of its imitation.
    """

    mask_BT: Tensor
    sampler_BT: Tensor
    advantages_BT: Tensor
    policy_B: Tensor
    sft_B: Tensor

    def spread(self, logp_K: Tensor) -> Tensor:
        """One number a learned token as `(B, T)`, 0 where nothing is learned."""
        sizes = self.mask_BT.sum(1).long().tolist()
        return pad_sequence(list(logp_K.split_with_sizes(sizes)), batch_first=True)
