"""What a training added to an adapter, as an adapter of its own. Pure."""

from ..delta import AdapterDelta
from .subtract import subtract
from .truncate import truncate


def skill_vector(
    after: AdapterDelta, before: AdapterDelta, *, compact: bool = False
) -> AdapterDelta:
    """`v = D_after - D_before`; add it to another adapter with `concat([other, v], [1, weight])`.

    The rank is the sum of both. Where `after` was trained as a fresh LoRA on top of `before`, or
    shares factors with it, much of it cancels: `compact` keeps the numerical rank only.

    Args:
        compact: drop what is zero up to storing (relative 1.2e-7); see `truncate(rank="exact")`.

    Returns:
        Scale 1, float32 (float64 where a factor is).

    Raises:
        ValueError: as `concat`.

    Source: PaST (arXiv:2601.11258), `v = theta_RL - theta_SFT`, added with weight 1.
    """
    vector = subtract(after, before)
    return truncate(vector, rank="exact").delta if compact else vector
