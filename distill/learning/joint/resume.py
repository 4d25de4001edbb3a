"""What must be the same for a joint run to go on: its adapters as described, and its base.

Owns that fingerprint. Refuses to own the state (`lora.py`) and the file (`checkpoint.py`).
"""

import hashlib
from collections.abc import Sequence

from torch import nn

from .specs import AdapterSpec


def fingerprint(base: nn.Module, specs: Sequence[AdapterSpec]) -> str:
    """Of the specs in their order, and of the base's weights by name, shape, dtype and sums."""
    total = hashlib.sha256("\n".join(spec.model_dump_json() for spec in specs).encode())
    for name, weight in base.state_dict().items():
        wide = weight.double()
        sums = (float(wide.sum()), float(wide.abs().sum()))
        total.update(f"\n{name} {tuple(weight.shape)} {weight.dtype} {sums}".encode())
    return total.hexdigest()
