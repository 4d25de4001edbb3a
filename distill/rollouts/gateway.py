"""The served policy: vLLM behind our gateway, token ids in and out.

Owns what is asked on the wire and what of the reply is believed. Ids go by the completions route,
conversations by the chat route, which alone knows skill texts and the router. Works before a bare
vLLM, too. Refuses to own rendering (`chat.py`) and every rule about when log-probabilities may be
trusted: an engine tells the raw ones (temperature 1) unless it was started otherwise.
"""

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, cast

from openai import AsyncOpenAI, DefaultAsyncHttpxClient, OpenAIError
from openai.types.chat import ChatCompletionMessageParam
from transformers import PreTrainedTokenizerBase

from ...adapters.card import Frame
from ...adapters.errors import EngineError
from ..rendering import framed
from ..serving import is_loopback
from ..worlds.types import Message
from .chat import ChatRenderer
from .gateway_replies import generations, scored
from .policy import (
    UNFRAMED,
    Capabilities,
    Generation,
    Prompt,
    Score,
    as_ids,
    as_messages,
    check_scored,
    the_one,
)
from .sampling import Sampling, before_stop


class GatewayPolicy:
    """Satisfies `policy.TokenPolicy`; an async context manager.

    Args:
        url: address of the server, ending in `/v1`.
        tokenizer: the base's, which renders what is sent as ids.
        base_digest: the base's family digest, for fingerprints.
        api_key: its key; servers without keys ignore it.
        timeout_s: bound on one request.
        deterministic: whether the engine was started so, and its start-up probe passed; nobody can
            see that from outside.
    """

    def __init__(
        self,
        url: str,
        tokenizer: PreTrainedTokenizerBase,
        *,
        base_digest: str = "",
        api_key: str = "none",
        timeout_s: float = 120.0,
        deterministic: bool = False,
    ) -> None:
        self.url = url
        self._chat = ChatRenderer(tokenizer)
        self._digest = base_digest
        self._capabilities = Capabilities(
            token_ids=True,
            token_logprobs=True,
            scoring=True,
            several_models=True,
            deterministic=deterministic,
        )
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
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def renderer(self) -> ChatRenderer:
        return self._chat

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
        """`sampling.n` answers; ids go as they are, a conversation is rendered by the engine.

        Raises:
            EngineError: the server did not answer, or its answer lacks token ids or
                log-probabilities; the message names the cause.
        """
        ids = as_ids(prompt)
        try:
            if ids is not None:
                raw = await self._complete(ids, model, sampling)
            else:
                raw = await self._talk(as_messages(prompt), model, sampling, frame)
        except OpenAIError as err:
            raise self._failed(model, err) from err
        version = raw.headers.get("x-skillweave-version", "")
        answers = generations(raw.text, version=version, prompt=ids, num=sampling.n)
        return answers if ids is None else tuple(self._read(one, sampling) for one in answers)

    async def score(
        self, prompt: Sequence[int], tokens: Sequence[int], *, model: str, entropy: bool = False
    ) -> Score:
        """See `policy.TokenPolicy`; the engine tells no entropy.

        Raises:
            MissingAbility: the entropy was asked for.
            EngineError: the server did not answer, or is not vLLM.
        """
        if entropy:
            self._capabilities.require("entropy", who=f"the policy at {self.url}")
        check_scored(prompt, tokens)
        try:
            raw = await self._client.completions.with_raw_response.create(
                model=model,
                prompt=[*prompt, *tokens],
                max_tokens=1,
                temperature=0.0,
                extra_body={"prompt_logprobs": 0},
            )
        except OpenAIError as err:
            raise self._failed(model, err) from err
        return Score(scored(raw.text, tokens))

    async def _complete(self, ids: Sequence[int], model: str, sampling: Sampling) -> Any:
        return await self._client.completions.with_raw_response.create(
            model=model,
            prompt=list(ids),
            logprobs=1,  # the drawn token's is told beside the likeliest one's
            **_drawing(sampling),
        )

    async def _talk(
        self, messages: Sequence[Message], model: str, sampling: Sampling, frame: Frame
    ) -> Any:
        how = _drawing(sampling)
        if frame.template_args:
            how["extra_body"]["chat_template_kwargs"] = dict(frame.template_args)
        if frame.tools:
            how["tools"] = [dict(tool) for tool in frame.tools]
            how["tool_choice"] = "none"  # the answer is text; calls in it are the reader's
        return await self._client.chat.completions.with_raw_response.create(
            model=model,
            messages=cast(list[ChatCompletionMessageParam], framed(messages, frame)),
            logprobs=True,
            **how,
        )

    def _read(self, answer: Generation, sampling: Sampling) -> Generation:
        """The text is that of the ids: after a prompt that ends within a character, vLLM 0.32 puts
        the prompt's text before the answer's."""
        text = self._chat.decode(answer.ids)
        return replace(answer, text=before_stop(text, sampling))

    def _failed(self, model: str, err: OpenAIError) -> EngineError:
        return EngineError(f"{self.url} did not answer for model {model!r}: {err}")


def _drawing(sampling: Sampling) -> dict[str, Any]:
    """All that decides a draw is said, or the base's generation config would decide it."""
    return {
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "n": sampling.n,
        "stop": list(sampling.stop) or None,
        "extra_body": {
            "return_token_ids": True,
            "top_k": sampling.top_k,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
        },
    }
