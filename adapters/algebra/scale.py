"""An adapter times a number. Pure."""

import math

from ..delta import AdapterDelta, Delta


def scale(delta: AdapterDelta, weight: float) -> AdapterDelta:
    """`D -> w D`: the factors are shared with the input, only the scale changes.

    Args:
        weight: finite, of either sign; 0 gives the zero adapter of the same rank.

    Returns:
        Scale `w s` per module; factors, dtype and device as they were.

    Raises:
        ValueError: the weight is not finite.
    """
    if not math.isfinite(weight):
        raise ValueError(f"weight {weight}: expected a finite number")
    return {name: Delta(m.down_RI, m.up_OR, weight * m.scale) for name, m in delta.items()}
