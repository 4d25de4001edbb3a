"""Rollouts: policies that take and give token ids, and the trajectories that they leave.

The values are re-exported here; they are pure, so that a light module stays light. Policies, play
and replay are imported from their modules.
"""

from .learnable import OFF_POLICY, ON_POLICY, LearnRule, RolloutRow, rows_of
from .sampling import Sampling
from .seeds import derived_seed
from .trajectory import (
    PolicyFingerprint,
    Provenance,
    TokenSpan,
    Trajectory,
    Turn,
)
from .trajectory_json import from_json_line, to_json_line

__all__ = [
    "OFF_POLICY",
    "ON_POLICY",
    "LearnRule",
    "PolicyFingerprint",
    "Provenance",
    "RolloutRow",
    "Sampling",
    "TokenSpan",
    "Trajectory",
    "Turn",
    "derived_seed",
    "from_json_line",
    "rows_of",
    "to_json_line",
]
