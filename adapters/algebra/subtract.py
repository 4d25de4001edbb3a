"""What one adapter has that another has not. Pure."""

from ..delta import AdapterDelta
from .concat import concat


def subtract(after: AdapterDelta, before: AdapterDelta) -> AdapterDelta:
    """`D_after - D_before`, exactly; ranks add.

    Equal adapters give a delta whose product is zero up to rounding; `truncate(..., rank="exact")`
    then finds the small rank that is left.

    Returns:
        Scale 1, float32 (float64 where a factor is); modules of both.

    Raises:
        ValueError: as `concat`.

    Source: PaST (arXiv:2601.11258), skill vector `v = theta_RL - theta_SFT`.
    """
    return concat([after, before], [1.0, -1.0])
