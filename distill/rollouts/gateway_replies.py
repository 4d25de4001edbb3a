"""What vLLM's replies say, read strictly.

Owns the few fields that a rollout needs, and the complaint where one is missing: a rollout without
its ids would be tokenised again later, and no longer be what was drawn.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import cast

from ...adapters.errors import EngineError
from .policy import Generation

Json = Mapping[str, object]


def generations(
    body: str, *, version: str, prompt: Sequence[int] | None, num: int
) -> tuple[Generation, ...]:
    """The answers in a reply of the completions or the chat route.

    Args:
        body: the reply.
        version: the policy's, from the reply's header.
        prompt: the ids that were sent; None where the engine rendered a conversation and has to
            tell them.
        num: answers that were asked for.

    Raises:
        EngineError: fewer answers, no token ids of the answer or of a rendered conversation, other
            prompt ids than were sent, or a log-probability that is missing or no finite number.
    """
    reply = _parsed(body)
    choices = cast("list[Json]", reply.get("choices") or [])
    if len(choices) != num:
        raise EngineError(f"the reply holds {len(choices)} answers, expected {num}: {body[:200]}")
    told = _ids(reply.get("prompt_token_ids")) or _ids(choices[0].get("prompt_token_ids"))
    read = told if prompt is None else tuple(prompt)
    if not read:
        raise EngineError(
            "the reply tells no prompt token ids of the conversation that the engine rendered; the "
            "engine must be vLLM, which gives them for return_token_ids"
        )
    if told and told != read:
        raise EngineError(
            f"the engine read {len(told)} prompt tokens that are not the {len(read)} sent; a "
            "rollout of other tokens than were asked for is worth nothing"
        )
    return tuple(_generation(one, read, version) for one in choices)


def scored(body: str, tokens: Sequence[int]) -> tuple[float, ...]:
    """Log-probabilities of the last tokens of a prompt.

    Raises:
        EngineError: the reply holds none, as those of engines that are not vLLM.
    """
    reply = _parsed(body)
    choices = cast("list[Json]", reply.get("choices") or [{}])
    told = choices[0].get("prompt_logprobs") or reply.get("prompt_logprobs") or []
    last = cast("list[Mapping[str, Json] | None]", told)[-len(tokens) :]
    if len(last) != len(tokens):
        raise EngineError(
            f"the reply scores {len(last)} of {len(tokens)} tokens; the engine must be vLLM"
        )
    return _finite([_of_token(entry, one) for entry, one in zip(last, tokens, strict=True)])


def _of_token(entry: Mapping[str, Json] | None, token: int) -> object:
    return ((entry or {}).get(str(token)) or {}).get("logprob")


def _generation(choice: Json, prompt: tuple[int, ...], version: str) -> Generation:
    ids = _ids(choice.get("token_ids"))
    logprobs = _finite(_told(choice.get("logprobs")))
    if not ids or len(logprobs) != len(ids):
        raise EngineError(
            f"the reply tells {len(ids)} token ids and {len(logprobs)} log-probabilities of an "
            "answer, expected as many of both; the engine must be vLLM, which gives them for "
            "return_token_ids and logprobs"
        )
    message = cast(Json, choice.get("message") or {})
    return Generation(
        ids=ids,
        logprobs=logprobs,
        text=str(choice.get("text") or message.get("content") or ""),
        prompt_ids=prompt,
        finish_reason=str(choice.get("finish_reason") or ""),
        policy_version=version,
        tokens_in=len(prompt),
        tokens_out=len(ids),
    )


def _told(logprobs: object) -> Sequence[object]:
    """Those of the drawn tokens: of completions in one list, of chat in one object each."""
    found = cast(Json, logprobs or {})
    if "token_logprobs" in found:
        return cast("list[object]", found["token_logprobs"] or [])
    return [one.get("logprob") for one in cast("list[Json]", found.get("content") or [])]


def _finite(told: Sequence[object]) -> tuple[float, ...]:
    numbers = [one if isinstance(one, int | float) else math.nan for one in told]
    if not all(map(math.isfinite, numbers)):
        odd = next(
            one for one, number in zip(told, numbers, strict=True) if not math.isfinite(number)
        )
        raise EngineError(f"the engine tells the log-probability {odd!r}, expected a finite number")
    return tuple(float(one) for one in numbers)


def _ids(value: object) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, list) else ()


def _parsed(body: str) -> Json:
    try:
        reply = json.loads(body)
    except ValueError as err:
        raise EngineError(f"the reply is not JSON: {body[:200]}") from err
    if not isinstance(reply, dict):
        raise EngineError(f"the reply is no object: {body[:200]}")
    return reply
