"""A request's body: parsed once, judged, and written again for the engine. Pure.

Owns what a client may not say (duplicate keys, control fields), the first checks of the
conversation, and the rewriting of `model`, system text and template arguments. Refuses to own
what the engine judges better: every other field passes through untouched.
"""

import json
from collections.abc import Mapping
from typing import Literal, cast

from ...adapters.skills import Skill, system_prompt
from .errors import RequestRefused

Fields = dict[str, object]
Kind = Literal["chat", "completion", "tokenize"]

CONTROL_FIELDS = frozenset(
    {
        "priority",
        "cache_salt",
        "kv_transfer_params",
        "ec_transfer_params",
        "vllm_xargs",
        "request_id",
        "session_id",
        "routed_experts_prompt_start",
        "mm_payload",
        "mm_processor_kwargs",
        "media_io_kwargs",
        "return_mm_kwargs",
        "prompt_embeds",
        "lora_request",
    }
)
"""Fields by which a client could act on other requests, other tenants or the engine itself."""


def parse_body(raw: bytes, *, kind: Kind) -> Fields:
    """Read a request.

    Raises:
        RequestRefused: no JSON object, a key twice, a control field, no model, no messages.
    """
    fields = _parse_json(raw)
    control = sorted(CONTROL_FIELDS.intersection(fields))
    if control:
        raise RequestRefused(
            f"field {control[0]!r} steers the engine and cannot be set by a client; leave it out",
            param=control[0],
        )
    if not isinstance(fields.get("model"), str) or not fields["model"]:
        raise RequestRefused(
            f"model is {fields.get('model')!r}: expected a string such as 'base', 'auto' or the "
            "name of a skill; GET /v1/models lists them",
            param="model",
        )
    if kind == "chat" or "messages" in fields:
        _check_messages(fields.get("messages"))
    elif "prompt" not in fields:
        raise RequestRefused("prompt is missing: expected a string", param="prompt")
    return fields


def messages_of(fields: Fields) -> list[Fields] | None:
    """The checked messages of a request, None where it has a prompt instead."""
    return cast("list[Fields] | None", fields.get("messages"))


def text_of(content: object) -> str:
    """The plain text of a message's content: a string, or the text parts of a list."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [part.get("text") for part in content if isinstance(part, dict)]
    return "\n".join(part for part in parts if isinstance(part, str))


def with_skill_text(messages: list[Fields], skill: Skill) -> list[Fields]:
    """The conversation with the skill's body in its system message (`system_prompt`'s rule)."""
    if messages and messages[0]["role"] == "system":
        system = text_of(messages[0].get("content"))
        return [{**messages[0], "content": system_prompt(skill, system)}, *messages[1:]]
    return [{"role": "system", "content": system_prompt(skill)}, *messages]


def rewrite(
    fields: Fields,
    *,
    model: str,
    skill: Skill | None = None,
    template_arguments: Mapping[str, object] | None = None,
    control: Mapping[str, object] | None = None,
) -> bytes:
    """The body for the engine.

    Args:
        model: the engine-side name.
        skill: a text for the system message; the request must have messages then.
        template_arguments: defaults for the chat template; what the client says wins.
        control: fields by which the gateway steers the engine, such as `priority`.
    """
    out: Fields = {**fields, "model": model, **(control or {})}
    messages = messages_of(fields)
    if skill is not None and messages is not None:
        out["messages"] = with_skill_text(messages, skill)
    if template_arguments and messages is not None:
        given = fields.get("chat_template_kwargs")
        out["chat_template_kwargs"] = {
            **template_arguments,
            **(given if isinstance(given, dict) else {}),
        }
    return json.dumps(out, separators=(",", ":")).encode()


def _parse_json(raw: bytes) -> Fields:
    try:
        fields = json.loads(raw, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RequestRefused:
        raise
    except (ValueError, RecursionError) as err:
        raise RequestRefused(f"the body is not JSON: {str(err)[:200]}") from err
    if not isinstance(fields, dict):
        raise RequestRefused(f"the body is a JSON {type(fields).__name__}: expected an object")
    return fields


def _unique(pairs: list[tuple[str, object]]) -> Fields:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise RequestRefused(f"duplicate key {twice!r} in the body: say it once", param=twice)
    return fields


def _no_constant(text: str) -> float:
    raise RequestRefused(f"{text} is not JSON: expected a finite number")


def _check_messages(messages: object) -> None:
    if not isinstance(messages, list):
        raise RequestRefused(
            f"messages is {type(messages).__name__}: expected a list of messages", param="messages"
        )
    if not messages:
        raise RequestRefused("messages is empty: expected at least one message", param="messages")
    for position, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise RequestRefused(
                f"messages[{position}] is no object with a role", param=f"messages[{position}]"
            )
