"""How sure a ratio of pairs is: the lower end of an interval by resampling. Pure.

A part of the bench `kernel`. Owns the statistic. The median of pairs is not moved by the odd run
that another process disturbed; its interval is what medians of resampled pairs cover.
"""

from collections.abc import Sequence

import numpy as np

NUM_RESAMPLES = 10_000


def lower_bound(ratios: Sequence[float], *, level: float = 0.95, seed: int = 0) -> float:
    """Lower end of the two-sided percentile interval of the median.

    Args:
        ratios: one per pair, at least one.
        level: confidence inside (0, 1).
        seed: of the resampling; the same pairs give the same bound.
    """
    pairs = np.asarray(ratios, dtype=np.float64)
    rng = np.random.default_rng(seed)
    drawn = rng.choice(pairs, size=(NUM_RESAMPLES, pairs.size))
    return float(np.quantile(np.median(drawn, axis=1), (1.0 - level) / 2.0))
