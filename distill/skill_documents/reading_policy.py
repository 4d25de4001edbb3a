"""A policy that has a reader before it: what was opened stands in the system message.

Owns how a rendering travels in an arm's system text, so that an arm is known by what it was asked
with, and the passing on. The reader is a script (`reader.py`); the answer is the policy's.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from ..evaluation.types import Answer
from ..policy import Policy
from ..rollouts.sampling import Sampling
from ..worlds.types import Message
from .layouts import Rendering, rendering_of
from .reader import Count, read

_MARK = re.compile(r"reader with (\d+) tokens\n")


def to_be_read(rendering: Rendering, *, budget: int) -> str:
    """The system text that makes `ReadingPolicy` read with so many tokens."""
    return f"reader with {budget} tokens\n{rendering.text}"


class ReadingPolicy:
    """Reads first where the system text asks for it, then passes the request on; a `Policy`.

    The answer's tokens are those of all calls: the reader's and the policy's own. Conversations
    without such a system text are passed on as they are.
    """

    def __init__(self, policy: Policy, count: Count) -> None:
        self._policy = policy
        self._count = count

    async def complete(
        self, messages: Sequence[Message], *, model: str, sampling: Sampling
    ) -> Answer:
        """Answer one conversation; see `Policy`."""
        first, *rest = messages
        mark = _MARK.match(first["content"]) if first["role"] == "system" else None
        if mark is None:
            return await self._policy.complete(messages, model=model, sampling=sampling)
        reading = read(
            rendering_of(first["content"][mark.end() :]),
            rest[-1]["content"],
            budget=int(mark[1]),
            count=self._count,
        )
        head: list[Message] = [] if reading.text is None else [dict(first, content=reading.text)]
        answer = await self._policy.complete([*head, *rest], model=model, sampling=sampling)
        return replace(
            answer,
            prompt_tokens=answer.prompt_tokens + reading.prompt_tokens,
            completion_tokens=answer.completion_tokens + reading.completion_tokens,
        )
