"""The rank-one terms of an adapter: its singular value decomposition, module by module. Pure.

Shape letters: `R` terms, `I` in, `O` out features.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ..delta import AdapterDelta
from .by_qr import decompose
from .checks import check_deltas
from .stacks import stacks


@dataclass(frozen=True, eq=False)
class Components:
    """`D = sum_r values[r] * left[:, r] right[r]^T`, falling values, orthonormal vectors.

    As many terms as the numerical rank (one, of value 0, for a zero module); float64.
    """

    left_OR: Float[Tensor, "O R"]
    values_R: Float[Tensor, " R"]
    right_RI: Float[Tensor, "R I"]


def components(delta: AdapterDelta) -> dict[str, Components]:
    """The spectrum and the singular vectors of every module, from two thin QRs.

    Raises:
        ValueError: an adapter without modules, or a value that is not finite.
    """
    check_deltas([delta])
    found: dict[str, Components] = {}
    for stack in stacks(delta):
        for name, svd in zip(stack.names, decompose(stack), strict=True):
            rank = max(1, int((svd.values_P > svd.noise).sum()))
            found[name] = Components(
                svd.left_OP[:, :rank], svd.values_P[:rank], svd.right_IP[:, :rank].mT
            )
    return {name: found[name] for name in delta}
