"""Trajectories as if they had been played, made of numbers that a test can follow by hand."""

from collections.abc import Sequence

from skillweave.distill.rollouts.sampling import Sampling
from skillweave.distill.rollouts.trajectory import (
    PolicyFingerprint,
    TokenSpan,
    Trajectory,
    Turn,
)
from skillweave.distill.worlds.types import Verdict

WHO = PolicyFingerprint("", "run@0", "", Sampling(temperature=1.0))


def turn(
    prompt: Sequence[int],
    drawn: Sequence[int],
    *,
    logprob: float = -1.0,
    forced: Sequence[TokenSpan] = (),
    reward: float = 0.0,
    version: str = "run@0",
    continues: bool = True,
) -> Turn:
    """A prompt, what was forced, then what was drawn, each token at the same log-probability."""
    own = TokenSpan("policy", tuple(drawn), (logprob,) * len(drawn))
    return Turn(
        text="",
        reward=reward,
        spans=(TokenSpan("prompt", tuple(prompt)), *forced, own),
        policy_version=version,
        continues=continues,
    )


def trajectory(
    *turns: Turn, reward: float = 0.0, task_id: str = "task", sample: int = 0, error: str = ""
) -> Trajectory:
    """An episode of these turns; one turn of two tokens where none is given."""
    verdict = Verdict(reward >= 1, reward, "as planned")
    return Trajectory(
        task_id, "family", "train", sample, WHO, verdict, turns or (turn((1, 2), (3, 4)),),
        error=error, sample=sample,
    )  # fmt: skip
