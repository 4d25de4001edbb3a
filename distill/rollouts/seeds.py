"""One seed for each request, from what the request is. Pure.

So that a run asked again draws the same, however its requests are ordered in time.
"""

import hashlib
import json


def derived_seed(*parts: str | int) -> int:
    """A seed in [0, 2^31) from (run, step, item, sample, ...): stable everywhere, no two alike
    but by chance. `1` and `"1"` are different parts.

    Raises:
        ValueError: no part.
    """
    if not parts:
        raise ValueError("a seed of nothing: expected at least one part, such as the run's name")
    return int.from_bytes(hashlib.sha256(json.dumps(parts).encode()).digest()[:4]) >> 1
