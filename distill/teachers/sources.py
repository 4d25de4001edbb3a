"""Models as sources: any `Policy`, or an OpenAI-compatible address with structured output.

Owns how a question becomes a request. Refuses to own what makes an answer acceptable (`asking.py`).
To add one: a class with `label` and `say`.
"""

from types import TracebackType
from typing import Self, cast

from openai import AsyncOpenAI, BadRequestError, DefaultAsyncHttpxClient, OpenAIError
from openai import UnprocessableEntityError as Unprocessable
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from ...adapters.errors import TeacherError
from ..demonstrations import Teacher as Demonstrator
from ..policy import Sampling
from ..serving import is_loopback
from .roles import Question
from .types import Said

MAX_TOKENS = 1024
"""Of one answer."""


class PolicySource:
    """A demonstrating teacher, asked in words: any policy under a model string.

    Args:
        teacher: the policy and the model string; `train` and recipes have one at hand.
        sampling: its seed is replaced by one from the question and the attempt.
    """

    def __init__(self, teacher: Demonstrator, *, sampling: Sampling | None = None) -> None:
        self._teacher = teacher
        self._sampling = sampling or Sampling(max_tokens=MAX_TOKENS)

    @property
    def label(self) -> str:
        """Who, and how it is drawn."""
        drawn = f"T={self._sampling.temperature:g},max={self._sampling.max_tokens}"
        return f"policy:{self._teacher.label or self._teacher.model}?{drawn}"

    async def say(self, asked: Question, *, attempt: int, complaint: str) -> Said:
        """See `Source`."""
        sampling = Sampling(
            temperature=self._sampling.temperature,
            max_tokens=self._sampling.max_tokens,
            seed=attempt_seed(asked, attempt),
        )
        answer = await self._teacher.policy.complete(
            conversation(asked, complaint), model=self._teacher.model, sampling=sampling
        )
        return Said(answer.text, answer.prompt_tokens, answer.completion_tokens)


class EndpointSource:
    """A model behind an OpenAI-compatible address; an async context manager.

    The answer's schema is sent along as `response_format`. A server that refuses that is asked
    without it from then on, and `structured` says so.

    Args:
        url: ends in `/v1`.
        model: the model string.
        label: in place of the address in records, so that they do not hang on a port.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str,
        api_key: str = "none",
        label: str | None = None,
        sampling: Sampling | None = None,
        timeout_s: float = 120.0,
    ) -> None:
        self.url, self.model = url, model
        self.structured = True
        self._name = label or f"{url} {model}"
        self._sampling = sampling or Sampling(max_tokens=MAX_TOKENS)
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

    @property
    def label(self) -> str:
        """Who, and how it is drawn."""
        drawn = f"T={self._sampling.temperature:g},max={self._sampling.max_tokens}"
        return f"endpoint:{self._name}?{drawn}"

    async def say(self, asked: Question, *, attempt: int, complaint: str) -> Said:
        """See `Source`."""
        seed = attempt_seed(asked, attempt)
        turns = [dict(turn) for turn in conversation(asked, complaint)]
        messages = cast(list[ChatCompletionMessageParam], turns)
        try:
            reply = await self._create(asked, messages, seed)
        except OpenAIError as err:
            raise TeacherError(
                f"{self.url} did not answer as {asked.role.name!r} for {self.model!r}: {err}"
            ) from err
        usage = reply.usage
        return Said(
            text=(reply.choices[0].message.content or "") if reply.choices else "",
            prompt_tokens=usage.prompt_tokens if usage else 0,
            completion_tokens=usage.completion_tokens if usage else 0,
        )

    async def _create(
        self, asked: Question, messages: list[ChatCompletionMessageParam], seed: int
    ) -> ChatCompletion:
        if self.structured:
            try:
                return await self._client.chat.completions.create(
                    model=self.model,
                    messages=messages,
                    temperature=self._sampling.temperature,
                    max_tokens=self._sampling.max_tokens,
                    seed=seed,
                    response_format={
                        "type": "json_schema",
                        "json_schema": {"name": asked.role.name, "schema": asked.schema_json},
                    },
                )
            except (BadRequestError, Unprocessable) as err:
                if "response_format" not in str(err):
                    raise
                self.structured = False
        return await self._client.chat.completions.create(
            model=self.model,
            messages=messages,
            temperature=self._sampling.temperature,
            max_tokens=self._sampling.max_tokens,
            seed=seed,
        )


def conversation(asked: Question, complaint: str) -> list[dict[str, str]]:
    """The question, and what was wrong with the attempt before."""
    turns = [dict(turn) for turn in asked.messages]
    if complaint:
        turns[-1]["content"] += f"\n\n## The answer before was refused\n{complaint}"
    return turns


def attempt_seed(asked: Question, attempt: int) -> int:
    """A seed below 2^31 from the question's seed and the attempt."""
    return (asked.seed * 1_000_003 + attempt) % (1 << 31)
