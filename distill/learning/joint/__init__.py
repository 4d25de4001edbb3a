"""Many adapters at once on one frozen base: one forward, one backward, one step for all of them.

`lora.py` is the way in: `JointLora`. `specs.py` says what an adapter is and what a batch is,
`layout.py` where its tokens stand, `weights.py` where its weights live, `linear.py` and `ops.py`
hold the forward passes with backward passes written by hand, `decoder.py` strings them together.
"""

from .lora import JointLora
from .specs import AdapterSpec

__all__ = ["AdapterSpec", "JointLora"]
