"""A policy that takes and gives token ids, and what it must say about itself.

Owns the `TokenPolicy` protocol, what it returns, and the refusal where an ability is missing.
Refuses to own any backend: `local.py`, `gateway.py`, `replay.py` and `text_only.py` hold one each.
To add a backend: a class with these methods and honest `Capabilities`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...adapters.card import Frame
from ...adapters.errors import MissingAbility, UsageError
from ..worlds.types import Message
from .sampling import Sampling

UNFRAMED = Frame()
"""No system text, no tools, no arguments of the template."""

Prompt = Sequence[int] | Sequence[Message]
"""Token ids, taken as they are, or a conversation, which the policy renders."""


@dataclass(frozen=True)
class Capabilities:
    """What a policy can do.

    Args:
        token_ids: it takes token ids and gives those that it drew.
        token_logprobs: it tells the raw log-probability of each token that it drew.
        scoring: it tells log-probabilities of given tokens after any context.
        entropy: it tells the entropy of its distribution at each of them, too.
        several_models: one policy answers under several model strings at once.
        deterministic: equal requests with equal seeds get equal answers, bit for bit, whatever
            else is asked at the same time.
    """

    token_ids: bool = False
    token_logprobs: bool = False
    scoring: bool = False
    entropy: bool = False
    several_models: bool = False
    deterministic: bool = False

    def require(self, *abilities: str, who: str) -> None:
        """Do nothing where every ability is there.

        Args:
            abilities: names of fields.
            who: the policy, for the message.

        Raises:
            MissingAbility: one is not.
        """
        lacking = [name for name in abilities if not getattr(self, name)]
        if lacking:
            raise MissingAbility(
                f"{who} has no {', '.join(lacking)}: expected a policy that has, such as "
                "LocalPolicy, or GatewayPolicy before a vLLM engine"
            )


@dataclass(frozen=True, slots=True)
class Generation:
    """One answer.

    Args:
        ids: what was drawn, the end token included where one was drawn; empty where the policy
            gives no ids.
        logprobs: raw log-probability of each, in nats; None where they are not told.
        text: the answer as text, without special tokens and stop texts.
        prompt_ids: what it was drawn after; empty where the policy does not say.
        finish_reason: `stop` (an end token or a stop text) or `length`.
        policy_version: the version that drew all of it; empty for the base.
        tokens_in: tokens read.
        tokens_out: tokens drawn.
    """

    ids: tuple[int, ...]
    logprobs: tuple[float, ...] | None
    text: str
    prompt_ids: tuple[int, ...]
    finish_reason: str
    policy_version: str
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True)
class Score:
    """Raw log-probability, and where asked for the entropy, at each given token; nats."""

    logprobs: tuple[float, ...]
    entropy: tuple[float, ...] | None = None


class Renderer(Protocol):
    """From messages to ids, piece by piece; `chat.ChatRenderer` does it by the base's template."""

    def opening(self, messages: Sequence[Message], frame: Frame) -> tuple[int, ...]:
        """Ids of a conversation that waits for its first answer."""
        ...

    def following(
        self,
        told: Sequence[Message],
        news: Sequence[Message],
        frame: Frame,
        *,
        after: Sequence[int],
    ) -> tuple[int, ...]:
        """Ids that follow an answer: its end, where it has none yet, and the new messages.

        Args:
            told: the conversation before that answer.
            news: what is said after it.
            after: the running ids up to the answer's last token.
        """
        ...

    def closing(self, told: Sequence[Message], frame: Frame) -> tuple[int, ...]:
        """The ids that end an answer which somebody else wrote in the policy's place."""
        ...

    def encode(self, text: str) -> tuple[int, ...]: ...
    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, without special tokens."""
        ...


class TokenPolicy(Protocol):
    """Anything that draws tokens under a model string. Methods may be called at the same time."""

    @property
    def capabilities(self) -> Capabilities: ...
    @property
    def renderer(self) -> Renderer | None:
        """How it reads conversations; None where it takes messages alone."""
        ...

    @property
    def base_digest(self) -> str:
        """Family digest of its base; empty where it does not know."""
        ...

    async def generate(
        self, prompt: Prompt, *, model: str, sampling: Sampling, frame: Frame = ...
    ) -> Generation:
        """One answer.

        Args:
            frame: how a conversation is rendered; ids are taken as they are.

        Raises:
            SkillweaveError: it did not answer; the message names the cause.
        """
        ...

    async def sample(
        self, prompt: Prompt, *, model: str, sampling: Sampling, frame: Frame = ...
    ) -> tuple[Generation, ...]:
        """`sampling.n` answers to one prompt."""
        ...

    async def score(
        self, prompt: Sequence[int], tokens: Sequence[int], *, model: str, entropy: bool = False
    ) -> Score:
        """How likely `tokens` are after `prompt`, whoever wrote them.

        Raises:
            MissingAbility: it cannot.
            UsageError: the prompt or the tokens are empty.
        """
        ...


def as_ids(prompt: Prompt) -> tuple[int, ...] | None:
    """The ids of a prompt; None where it is a conversation (`as_messages`).

    Raises:
        UsageError: it is empty.
    """
    if not prompt:
        raise UsageError("the prompt is empty: expected token ids or messages")
    return tuple(one for one in prompt if isinstance(one, int)) or None


def as_messages(prompt: Prompt) -> tuple[Message, ...]:
    """The messages of a prompt that is a conversation."""
    return tuple(one for one in prompt if not isinstance(one, int))


def check_scored(prompt: Sequence[int], tokens: Sequence[int]) -> None:
    """Refuse what has no first token to predict from, or nothing to predict."""
    if not prompt or not tokens:
        raise UsageError(
            f"asked to score {len(tokens)} tokens after {len(prompt)}: expected at least one each"
        )


def the_one(answers: tuple[Generation, ...]) -> Generation:
    """The answer where one was asked for.

    Raises:
        UsageError: there are several.
    """
    if len(answers) != 1:
        raise UsageError(f"sampling.n is {len(answers)}: expected 1 here; `sample` gives several")
    return answers[0]
