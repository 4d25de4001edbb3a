"""Models as sources: any `Policy`, or an OpenAI-compatible address with structured output.

Owns how a question becomes a request. Refuses to own what makes an answer acceptable (`asking.py`).
To add one: a class with `label` and `say`.
"""

from dataclasses import replace
from types import TracebackType
from typing import Any, Self, cast

from openai import AsyncOpenAI, BadRequestError, DefaultAsyncHttpxClient, OpenAIError
from openai import UnprocessableEntityError as Unprocessable
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from ...adapters.errors import TeacherError, UsageError
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
        base_digest: of the base behind the policy, so that records of another base are not its own.

    Raises:
        UsageError: the sampling asks for several answers.
    """

    def __init__(
        self,
        teacher: Demonstrator,
        *,
        sampling: Sampling | None = None,
        base_digest: str = "",
    ) -> None:
        self._teacher = teacher
        self._base_digest = base_digest
        self._sampling = _of_one(sampling or Sampling(max_tokens=MAX_TOKENS))

    @property
    def label(self) -> str:
        """Who, and how it is drawn."""
        base = f"@{self._base_digest[:12]}" if self._base_digest else ""
        who = self._teacher.label or f"{self._teacher.model}{base}"
        return f"policy:{who}?{_drawn(self._sampling)}"

    async def say(self, asked: Question, *, attempt: int, complaint: str) -> Said:
        """See `Source`."""
        sampling = replace(self._sampling, seed=attempt_seed(asked, attempt))
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

    Raises:
        UsageError: the sampling asks for several answers.
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
        self._sampling = _of_one(sampling or Sampling(max_tokens=MAX_TOKENS))
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
        return f"endpoint:{self._name}?{_drawn(self._sampling)}"

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
                structured: ChatCompletion = await self._client.chat.completions.create(
                    model=self.model,
                    messages=messages,
                    **_drawing(self._sampling, seed),
                    response_format={
                        "type": "json_schema",
                        "json_schema": {"name": asked.role.name, "schema": asked.schema_json},
                    },
                )
                return structured
            except (BadRequestError, Unprocessable) as err:
                if "response_format" not in str(err):
                    raise
                self.structured = False
        plain: ChatCompletion = await self._client.chat.completions.create(
            model=self.model,
            messages=messages,
            **_drawing(self._sampling, seed),
        )
        return plain


def conversation(asked: Question, complaint: str) -> list[dict[str, str]]:
    """The question, and what was wrong with the attempt before."""
    turns = [dict(turn) for turn in asked.messages]
    if complaint:
        turns[-1]["content"] += f"\n\n## The answer before was refused\n{complaint}"
    return turns


def attempt_seed(asked: Question, attempt: int) -> int:
    """A seed below 2^31 from the question's seed and the attempt."""
    return (asked.seed * 1_000_003 + attempt) % (1 << 31)


def _of_one(sampling: Sampling) -> Sampling:
    if sampling.n != 1:
        raise UsageError(f"sampling.n is {sampling.n}: expected 1; a teacher gives one answer")
    return sampling


def _drawn(sampling: Sampling) -> str:
    """How answers are drawn, for a label: the settings that are not the usual ones come last."""
    usual = Sampling()
    odd = {
        "top_p": sampling.top_p if sampling.top_p != usual.top_p else None,
        "top_k": sampling.top_k if sampling.top_k != usual.top_k else None,
        "stop": list(sampling.stop) or None,
    }
    said = [f"{name}={value}" for name, value in odd.items() if value is not None]
    return ",".join([f"T={sampling.temperature:g},max={sampling.max_tokens}", *said])


def _drawing(sampling: Sampling, seed: int) -> dict[str, Any]:
    """The fields of a request; a setting that is the usual one is not sent."""
    fields: dict[str, Any] = {
        "temperature": sampling.temperature,
        "max_tokens": sampling.max_tokens,
        "seed": seed,
    }
    if sampling.top_p != 1.0:
        fields["top_p"] = sampling.top_p
    if sampling.stop:
        fields["stop"] = list(sampling.stop)
    if sampling.top_k:
        fields["extra_body"] = {"top_k": sampling.top_k}
    return fields
