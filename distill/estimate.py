"""What training a skill will cost, before anything is spent. Pure arithmetic on stated rates."""

from dataclasses import dataclass

from ..adapters import BaseIdentity
from .learning.sft import SftSettings
from .skill_training import SkillTraining

ROW_TOKENS = 50
"""Tokens of a request with its worked answer on the shipped base: 49 on average over 240 requests
of six held-out skills."""
BYTES_PER_WEIGHT = 4
TRAIN_FLOP_PER_WEIGHT_TOKEN = 6
CPU_FLOP_PER_S = TRAIN_FLOP_PER_WEIGHT_TOKEN * 3.93e6 * (170 * 40 * 5) / 14.4
"""Sustained float32 rate of one busy core, 5.6e10: 170 rows of 40 tokens in 5 epochs took 14.4 s on
the 3.93 million weights of the shipped base's linear modules (docs/lablog.md, "How long an adapter
of the shipped base must train")."""


@dataclass(frozen=True)
class Estimate:
    """Requests and tokens of the teacher; seconds, memory and disk of training."""

    requests: int
    teacher_tokens: int
    train_s: float
    memory_bytes: int
    disk_bytes: int


def adapter_weights(identity: BaseIdentity, sft: SftSettings) -> int:
    """Numbers in an adapter of these settings on this base."""
    return sum(
        sft.rank * (out + into)
        for name, (out, into) in identity.modules.items()
        if name.rpartition(".")[2] in sft.targets
    )


def estimate(identity: BaseIdentity, config: SkillTraining, *, body_tokens: int) -> Estimate:
    """The cost of one skill whose body has `body_tokens` tokens."""
    base_weights = sum(out * into for out, into in identity.modules.values())
    adapter = adapter_weights(identity, config.sft)
    requests = config.num_requests + 2 * config.preflight_requests
    trained = config.num_requests * ROW_TOKENS * config.sft.epochs
    return Estimate(
        requests=requests,
        teacher_tokens=requests * (body_tokens + ROW_TOKENS),
        train_s=trained * base_weights * TRAIN_FLOP_PER_WEIGHT_TOKEN / CPU_FLOP_PER_S,
        memory_bytes=BYTES_PER_WEIGHT * (base_weights + 4 * adapter),
        disk_bytes=BYTES_PER_WEIGHT * adapter,
    )
