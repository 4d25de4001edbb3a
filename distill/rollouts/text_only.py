"""Any policy that completes conversations, as one that plays: text alone, no ids.

Owns the wrapping of `distill.policy.Policy`, such as an OpenAI-compatible address of somebody
else's. What it plays is judged and counted like any other; nothing can be learned from its tokens,
and asking for them says so.
"""

from collections.abc import Mapping, Sequence

from ...adapters.card import Frame
from ...adapters.errors import MissingAbility, UsageError
from ..policy import Policy
from ..worlds.types import Message
from .policy import (
    UNFRAMED,
    Capabilities,
    Generation,
    Prompt,
    Score,
    as_ids,
    as_messages,
    the_one,
)
from .sampling import Sampling


class TextOnlyPolicy:
    """Satisfies `policy.TokenPolicy` as far as text goes; to be played by the route `messages`.

    Args:
        policy: answers conversations.
        base_digest: family digest of its base; empty where nobody knows.
    """

    def __init__(self, policy: Policy, *, base_digest: str = "") -> None:
        self._policy = policy
        self._digest = base_digest

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(several_models=True)

    @property
    def renderer(self) -> None:
        return None

    @property
    def base_digest(self) -> str:
        return self._digest

    async def generate(
        self, prompt: Prompt, *, model: str, sampling: Sampling, frame: Frame = UNFRAMED
    ) -> Generation:
        """One answer; see `sample`."""
        return the_one(await self.sample(prompt, model=model, sampling=sampling, frame=frame))

    async def sample(
        self, prompt: Prompt, *, model: str, sampling: Sampling, frame: Frame = UNFRAMED
    ) -> tuple[Generation, ...]:
        """One answer as text.

        Raises:
            MissingAbility: the prompt is ids.
            UsageError: the frame has tools or template arguments, which have no way to the policy,
                or several answers are asked for.
            TeacherError: the policy did not answer.
        """
        if as_ids(prompt) is not None:
            self.capabilities.require("token_ids", who="TextOnlyPolicy")
        if sampling.n != 1:
            raise UsageError(f"sampling.n is {sampling.n}: expected 1; ask once for each answer")
        if frame.tools or frame.template_args:
            raise UsageError("a frame with tools or template arguments: expected system text alone")
        answer = await self._policy.complete(
            _under(frame, as_messages(prompt)), model=model, sampling=sampling
        )
        version = answer.headers.get("x-skillweave-version", "")
        tokens = (answer.prompt_tokens, answer.completion_tokens)
        return (Generation((), None, answer.text, (), "", version, *tokens),)

    async def score(
        self, prompt: Sequence[int], tokens: Sequence[int], *, model: str, entropy: bool = False
    ) -> Score:
        """It cannot.

        Raises:
            MissingAbility: always.
        """
        raise MissingAbility("TextOnlyPolicy has no scoring: expected a policy that has ids")


def _under(frame: Frame, messages: Sequence[Message]) -> list[Mapping[str, str]]:
    head = [] if frame.system is None else [{"role": "system", "content": frame.system}]
    return [*head, *messages]
