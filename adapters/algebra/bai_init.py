"""Where RL starts from: an averaged adapter, scaled towards the base. Pure."""

from ..delta import AdapterDelta
from .concat import concat


def bai_init(instruct: AdapterDelta, distill: AdapterDelta, a: float) -> AdapterDelta:
    """`a (0.5 D_instruct + 0.5 D_distill)`.

    Stage 1 averages two fine-tuned models, stage 2 mixes the result with the pretrained one:
    `theta_0 = a theta_1 + (1 - a) theta_pre`. With adapters on one base the pretrained delta is 0.

    Args:
        a: in [0, 1]; 1 is stage 1 alone, 0 the base.

    Returns:
        Scale 1, float32; the ranks add.

    Raises:
        ValueError: `a` outside [0, 1], or as `concat`.

    Source: BAI (arXiv:2509.00309).
    """
    if not 0.0 <= a <= 1.0:
        raise ValueError(f"a is {a}: expected a number in [0, 1]")
    return concat([instruct, distill], [0.5 * a, 0.5 * a])
