"""Learning rates over the steps of a run. Pure."""

import math


def rate_factor(step: int, total: int) -> float:
    """Warm-up over a twentieth of the steps, then a half cosine down to 0: factor of the peak.

    Args:
        step: counted from 0.
        total: steps of the run, at least 1.
    """
    warm = max(1, total // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))
