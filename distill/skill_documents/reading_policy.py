"""A policy that has a reader before it: what was opened stands in the system message.

Owns the passing on. The reader is a script (`reader.py`); the answer is the policy's.
"""

from collections.abc import Sequence
from dataclasses import replace

from ..evaluation.types import Answer
from ..policy import Policy
from ..rollouts.sampling import Sampling
from ..worlds.types import Message
from .reader import Count, read, reader_of


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
        told = reader_of(first["content"]) if first["role"] == "system" else None
        if told is None:
            return await self._policy.complete(messages, model=model, sampling=sampling)
        rendering, budget = told
        reading = read(rendering, rest[-1]["content"], budget=budget, count=self._count)
        head: list[Message] = [] if reading.text is None else [dict(first, content=reading.text)]
        answer = await self._policy.complete([*head, *rest], model=model, sampling=sampling)
        return replace(
            answer,
            prompt_tokens=answer.prompt_tokens + reading.prompt_tokens,
            completion_tokens=answer.completion_tokens + reading.completion_tokens,
        )
