"""What happened: one type for one-turn answers, episodes and RL rollouts. Pure.

Owns the values: spans of tokens with their provenance, turns, trajectories. Refuses to own how
they come about (`play.py`), their bytes (`trajectory_json.py`) and what is learned from them
(`learnable.py`). To add a kind of provenance: a word in `Provenance`; every rule then says what it
does with it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import ClassVar, Literal, get_args

from pydantic import ConfigDict

from ..worlds.types import Message, Split, Verdict
from .sampling import FORBID, Sampling

Provenance = Literal["prompt", "policy", "demo_prefix", "hint", "expert", "naive"]
"""Who wrote a token: the template and the world, the policy, or somebody in the policy's place."""
PROVENANCES: tuple[Provenance, ...] = get_args(Provenance)


NOTHING_SAID = "(nothing)"
"""Stands in a plan for a turn in which the policy said nothing; no world knows such an action."""


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """Consecutive tokens of one provenance.

    `logprobs` are the raw ones (temperature 1) of the policy that drew the tokens, in nats; None
    where it did not draw them, or does not say.

    Raises:
        ValueError: an unknown provenance, or not one log-probability for each token.
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID

    provenance: Provenance
    ids: tuple[int, ...]
    logprobs: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.provenance not in PROVENANCES:
            raise ValueError(
                f"provenance is {self.provenance!r}: expected one of {', '.join(PROVENANCES)}"
            )
        if self.logprobs is not None and len(self.logprobs) != len(self.ids):
            raise ValueError(
                f"{len(self.logprobs)} log-probabilities for {len(self.ids)} tokens: expected one "
                "for each"
            )


@dataclass(frozen=True, slots=True)
class Turn:
    """One decision: what was new, what was written, and what the world gave for it.

    Args:
        text: the action as the world read it.
        spans: the new tokens in order: prompt, then what was forced, then what was drawn. Empty
            where the policy knows no ids.
        messages: what the world said since the last decision.
        continues: the tokens follow those of the turn before; False begins a sequence anew, as
            where a chat route rendered the whole conversation differently.
        tokens_in: tokens that the policy read for this turn, the earlier ones included.
        tokens_out: tokens that it drew.
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID

    text: str
    reward: float = 0.0
    spans: tuple[TokenSpan, ...] = ()
    messages: tuple[Message, ...] = ()
    legal_actions: tuple[str, ...] | None = None
    finish_reason: str = ""
    policy_version: str = ""
    continues: bool = True
    tokens_in: int = 0
    tokens_out: int = 0
    wall_s: float = 0.0
    info: Mapping[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[int, ...]:
        """All new tokens of this turn."""
        return tuple(one for span in self.spans for one in span.ids)

    def ids_of(self, provenance: Provenance) -> tuple[int, ...]:
        """The new tokens of one provenance."""
        return tuple(
            one for span in self.spans if span.provenance == provenance for one in span.ids
        )


@dataclass(frozen=True, slots=True)
class PolicyFingerprint:
    """Who played, as far as it decides what is drawn.

    Args:
        base_digest: family digest of the base; empty where nobody said.
        model: the model string that was asked for.
        context_digest: SHA-256 of what stood before the conversation: system text, tools,
            template arguments (`context_digest_of`).
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID

    base_digest: str
    model: str
    context_digest: str
    sampling: Sampling

    @property
    def digest(self) -> str:
        """SHA-256 over all of it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One answer or one episode of one task; a failed one is a value like any other.

    Args:
        seed: of the sampling; each turn's seed is derived from it.
        env_seed: what the environment was reset with.
        group: number of the task among those that were played together.
        sample: number of this one among those of its task.
        error: why it could not be played to its end; empty where it was. It then did not pass, and
            `turns` holds what came before the failure.
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID

    task_id: str
    family: str
    split: Split
    seed: int
    policy: PolicyFingerprint
    verdict: Verdict
    turns: tuple[Turn, ...] = ()
    error: str = ""
    env_seed: int = 0
    group: int = 0
    sample: int = 0
    wall_s: float = 0.0

    @property
    def reward(self) -> float:
        """The reward of the whole: the verdict's."""
        return self.verdict.reward

    @property
    def text(self) -> str:
        """What the policy did, as `Task.verify` reads it: the answer of a single turn as it is, of
        an episode a plan with one line a turn. White space inside a line is folded, and a turn in
        which nothing was said is a line too, so that the plan takes as many turns as the episode.
        """
        if len(self.turns) == 1:
            return self.turns[0].text
        return "\n".join(" ".join(turn.text.split()) or NOTHING_SAID for turn in self.turns)

    @property
    def tokens_in(self) -> int:
        return sum(turn.tokens_in for turn in self.turns)

    @property
    def tokens_out(self) -> int:
        return sum(turn.tokens_out for turn in self.turns)

    @property
    def policy_versions(self) -> tuple[str, ...]:
        """The versions that drew, in the order of their first turns."""
        return tuple(dict.fromkeys(turn.policy_version for turn in self.turns))

    @property
    def policy_version(self) -> str:
        """The version that drew all of it.

        Raises:
            ValueError: several did; look at the turns.
        """
        if len(self.policy_versions) > 1:
            raise ValueError(
                f"{self.task_id} was drawn by versions {', '.join(self.policy_versions)}, expected "
                "one; ask each turn for its own"
            )
        return next(iter(self.policy_versions), "")

    @property
    def ids(self) -> tuple[int, ...]:
        """All tokens, as they were read and drawn.

        Raises:
            ValueError: the turns are not one sequence; see `learnable.rows_of`.
        """
        if not all(turn.continues for turn in self.turns[1:]):
            raise ValueError(f"{self.task_id} is no single sequence; ask for its rows instead")
        return tuple(one for turn in self.turns for one in turn.ids)


def context_digest_of(system: str | None, tools: object = (), template_args: object = None) -> str:
    """SHA-256 of what stands before a conversation; the same for no arguments and empty ones."""
    told = {"system": system, "tools": tools or [], "template_args": template_args or {}}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
