"""What training a skill will cost, before anything is spent. Pure arithmetic on stated rates."""

from dataclasses import dataclass

from ..adapters import BaseIdentity
from .sft import SftSettings
from .skill_training import SkillTraining

ANSWER_TOKENS = 40
"""Typical tokens of a worked answer on the shipped base."""
BYTES_PER_WEIGHT = 4
TRAIN_FLOP_PER_WEIGHT_TOKEN = 6
CPU_FLOP_PER_S = 4e10
"""Sustained float32 rate of one core, measured in training the shipped base's adapters."""


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
    row_tokens = 2 * ANSWER_TOKENS
    trained = config.num_requests * row_tokens * config.sft.epochs
    return Estimate(
        requests=requests,
        teacher_tokens=requests * (body_tokens + row_tokens),
        train_s=trained * base_weights * TRAIN_FLOP_PER_WEIGHT_TOKEN / CPU_FLOP_PER_S,
        memory_bytes=BYTES_PER_WEIGHT * (base_weights + 4 * adapter),
        disk_bytes=BYTES_PER_WEIGHT * adapter,
    )
