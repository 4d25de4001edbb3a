"""What an adapter is to the mathematics: per module a low-rank update. Pure.

Owns `Delta` and the alias `AdapterDelta`. Refuses to own files (`peft_folder/deltas.py`) and
digests (`digests.py`). Shape letters: `R` rank, `I` in features, `O` out features.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Delta:
    """The update of one linear module: `D_OI = scale * up_OR @ down_RI`.

    `scale` is the effective scale (alpha over rank, or over its square root for rsLoRA), so that
    nothing else is needed to apply the update. Equality is identity; compare digests instead.

    Raises:
        ValueError: the shapes do not meet in one rank, or the scale is not finite.
    """

    down_RI: Float[Tensor, "R I"]
    up_OR: Float[Tensor, "O R"]
    scale: float

    def __post_init__(self) -> None:
        down, up = tuple(self.down_RI.shape), tuple(self.up_OR.shape)
        if len(down) != 2 or len(up) != 2 or down[0] != up[1] or down[0] < 1:
            raise ValueError(f"down {down} and up {up}: expected (R, I) and (O, R) with R >= 1")
        if not math.isfinite(self.scale):
            raise ValueError(f"scale is {self.scale}: expected a finite number")

    @property
    def rank(self) -> int:
        """`R`."""
        return self.down_RI.shape[0]

    @property
    def shape(self) -> tuple[int, int]:
        """`(O, I)`, the shape of the base's weight."""
        return self.up_OR.shape[0], self.down_RI.shape[1]

    def dense_OI(self) -> Float[Tensor, "O I"]:
        """The full update in float32; for tests and merges of small modules."""
        return self.scale * (self.up_OR.float() @ self.down_RI.float())


AdapterDelta = Mapping[str, Delta]
"""Module name in the base (`model.layers.0.self_attn.q_proj`) -> its update."""
