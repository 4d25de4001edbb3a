"""A policy answers conversations; here the one behind an OpenAI-compatible address.

Owns the `Policy` protocol, for callers that need text alone, and `ServedPolicy`, which speaks to
vLLM, to our gateway or to anybody's endpoint through the official client. Refuses to own retries
of wrong answers (a caller's matter) and any knowledge of skills. Who needs token ids,
log-probabilities or scores asks a `TokenPolicy` (`rollouts/policy.py`). To add a backend, write a
class with `complete`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Protocol, Self, TypeVar, cast

from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Omit, OpenAIError, omit
from openai.types.chat import ChatCompletionMessageParam

from ..adapters.errors import SkillweaveError, TeacherError, UsageError
from .evaluation.types import Answer
from .rollouts.sampling import Sampling
from .serving import is_loopback
from .worlds.types import Message

__all__ = ["Policy", "Sampling", "ServedPolicy", "bounded_map"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Policy(Protocol):
    """Anything that answers a conversation under a model string.

    Raises:
        TeacherError: the policy did not answer; the message names the cause.
    """

    async def complete(
        self, messages: Sequence[Message], *, model: str, sampling: Sampling
    ) -> Answer: ...


class ServedPolicy:
    """A policy behind `url` (ending in `/v1`); an async context manager.

    Args:
        url: address of the OpenAI-compatible server.
        api_key: its key; servers without keys ignore it.
        stream: read answers as streams, which measures the time to the first token.
        timeout_s: bound on one request.
    """

    def __init__(
        self, url: str, *, api_key: str = "none", stream: bool = False, timeout_s: float = 120.0
    ) -> None:
        self.url = url
        self._stream = stream
        self._client = AsyncOpenAI(
            base_url=url,
            api_key=api_key,
            timeout=timeout_s,
            max_retries=2,
            http_client=DefaultAsyncHttpxClient(trust_env=False) if is_loopback(url) else None,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._client.close()

    async def complete(
        self, messages: Sequence[Message], *, model: str, sampling: Sampling
    ) -> Answer:
        """Answer one conversation; see `Policy`.

        Raises:
            UsageError: `sampling.n` asks for several answers, and there is one in an `Answer`.
        """
        if sampling.n != 1:
            raise UsageError(f"n is {sampling.n}: expected 1; ask once for each answer")
        turns = cast(list[ChatCompletionMessageParam], [dict(m) for m in messages])
        try:
            if self._stream:
                return await self._streamed(turns, model, sampling)
            return await self._whole(turns, model, sampling)
        except OpenAIError as err:
            raise TeacherError(f"{self.url} did not answer for model {model!r}: {err}") from err

    async def _whole(
        self, turns: list[ChatCompletionMessageParam], model: str, sampling: Sampling
    ) -> Answer:
        started = time.perf_counter()
        raw = await self._client.chat.completions.with_raw_response.create(
            model=model,
            messages=turns,
            temperature=sampling.temperature,
            max_tokens=sampling.max_tokens,
            seed=sampling.seed,
            top_p=_unless(sampling.top_p, 1.0),
            stop=_unless([*sampling.stop], []),
            extra_body={"top_k": sampling.top_k} if sampling.top_k else None,
        )
        reply = raw.parse()
        usage = reply.usage
        return Answer(
            text=(reply.choices[0].message.content or "") if reply.choices else "",
            prompt_tokens=usage.prompt_tokens if usage else 0,
            completion_tokens=usage.completion_tokens if usage else 0,
            headers={name.lower(): value for name, value in raw.headers.items()},
            wall_s=time.perf_counter() - started,
        )

    async def _streamed(
        self, turns: list[ChatCompletionMessageParam], model: str, sampling: Sampling
    ) -> Answer:
        started = time.perf_counter()
        first: float | None = None
        parts: list[str] = []
        tokens = (0, 0)
        stream = await self._client.chat.completions.create(
            model=model,
            messages=turns,
            temperature=sampling.temperature,
            max_tokens=sampling.max_tokens,
            seed=sampling.seed,
            top_p=_unless(sampling.top_p, 1.0),
            stop=_unless([*sampling.stop], []),
            extra_body={"top_k": sampling.top_k} if sampling.top_k else None,
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in stream:
            text = chunk.choices[0].delta.content if chunk.choices else None
            if text:
                first = first if first is not None else time.perf_counter() - started
                parts.append(text)
            if chunk.usage:
                tokens = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        headers = {name.lower(): value for name, value in stream.response.headers.items()}
        wall_s = time.perf_counter() - started
        return Answer("".join(parts), tokens[0], tokens[1], headers, first, wall_s)


def _unless(value: Item, usual: Item) -> Item | Omit:
    """A field that says what is usual is not sent."""
    return omit if value == usual else value


async def bounded_map(
    work: Callable[[Item], Awaitable[Result]], items: Sequence[Item], *, concurrency: int
) -> list[Result]:
    """`work` on every item, at most `concurrency` at once; results in the items' order.

    Raises:
        SkillweaveError: the first that `work` raised; the other items are given up.
        ExceptionGroup: `work` raised something that is not ours, which is a bug.
    """
    gate = asyncio.Semaphore(concurrency)

    async def one(item: Item) -> Result:
        async with gate:
            return await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as failed:
        ours, others = failed.split(SkillweaveError)
        if ours is None or others is not None:
            raise
        raise ours.exceptions[0] from None
    return [task.result() for task in tasks]
