"""What a client may not say: what steers the engine, its host, or other tenants. Pure.

Owns the lists and the reasons. They follow vLLM's request models of the relayed routes; what stands
in none of the lists passes through. Refuses to own limits of size and number (`access/`).
To add one: a name in a list below, a line in `tests/server/gateway/relay/test_control.py`.
"""

from collections.abc import Mapping

from ..errors import RequestRefused

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
        "logits_processors",
        "chat_template",
        "guided_decoding_backend",
        "previous_response_id",
        "previous_input_messages",
        "extra_body",
    }
)
"""Fields by which a client could act on other requests, other tenants or the engine itself.

`previous_response_id` and its kin reach answers that the engine has kept, whoever they were for;
`chat_template` is a program; `extra_body` belongs to a client library and never to the wire.
"""

TEMPLATE_CONTROL = frozenset({"chat_template", "tokenize"})
"""The same, inside `chat_template_kwargs`."""

OWN_TOOLS = frozenset({"function", "custom"})
"""Kinds of tools that the client runs; every other kind would run, or be called, by the engine."""

CONTENT_CONTROL = frozenset({"uuid", "file_id", "image_pil"})
"""In parts of a message: names of what the engine keeps of others, and objects of its process."""

_NOT_FETCHED = frozenset({"annotations"})
"""Parts of an earlier answer that name addresses which nobody opens."""


def check_control(fields: Mapping[str, object]) -> None:
    """Judge one request.

    Raises:
        RequestRefused: it says what no client may say; `param` names the field.
    """
    for name in fields:
        if name in CONTROL_FIELDS:
            raise _steers(name)
    if fields.get("background"):
        raise RequestRefused(
            "background is true: this server keeps no answers; ask without it, or stream",
            param="background",
        )
    _check_keys(fields, "chat_template_kwargs", TEMPLATE_CONTROL)
    _check_structured(fields.get("structured_outputs"))
    _check_tools(fields.get("tools"))
    _check_contents(fields)


def _steers(where: str) -> RequestRefused:
    return RequestRefused(
        f"field {where!r} steers the engine and cannot be set by a client; leave it out",
        param=where,
    )


def _check_keys(fields: Mapping[str, object], name: str, refused: frozenset[str]) -> None:
    inner = fields.get(name)
    if isinstance(inner, dict):
        for key in inner:
            if key in refused:
                raise _steers(f"{name}.{key}")


def _check_structured(value: object) -> None:
    """vLLM notes the chosen grammar engine in fields of its own beside the client's."""
    if isinstance(value, dict):
        for key in value:
            if key.startswith("_"):
                raise _steers(f"structured_outputs.{key[:40]}")


def _check_tools(tools: object) -> None:
    if not isinstance(tools, list):
        return
    for place, tool in enumerate(tools):
        kind = tool.get("type", "function") if isinstance(tool, dict) else "function"
        if not isinstance(kind, str) or kind not in OWN_TOOLS:
            raise RequestRefused(
                f"tools[{place}] is of type {str(kind)[:40]!r}, which the server would run or call "
                "itself: expected 'function', a tool that you run",
                param=f"tools[{place}].type",
            )


def _check_contents(fields: Mapping[str, object]) -> None:
    """Nothing inside a message makes the engine open an address, a file or another's image."""
    messages = fields.get("messages")
    if isinstance(messages, list):
        for place, message in enumerate(messages):
            if isinstance(message, dict) and not isinstance(message.get("content"), str):
                _check_content(message.get("content"), f"messages[{place}].content")
    items = fields.get("input")
    if isinstance(items, list):
        _check_content(items, "input")


def _check_content(content: object, where: str) -> None:
    """Walk lists and objects without recursion: how deep they are is the client's choice."""
    open_values = [content]
    while open_values:
        value = open_values.pop()
        if isinstance(value, list):
            open_values += value
        elif isinstance(value, dict):
            for key, inner in value.items():
                _check_part(key, inner, where)
                if key not in _NOT_FETCHED and isinstance(inner, dict | list):
                    open_values.append(inner)


def _check_part(key: str, value: object, where: str) -> None:
    embeds = key.endswith("_embeds") or (
        key == "type" and isinstance(value, str) and value.endswith("_embeds")
    )
    if embeds or key in CONTENT_CONTROL:
        raise _steers(f"{where}: {value if key == 'type' else key[:40]}")
    is_address = key == "url" or key.endswith("_url")
    if is_address and isinstance(value, str) and not value.startswith("data:"):
        raise RequestRefused(
            f"{where} holds the address {value[:60]!r} in {key[:40]!r}: this server opens no "
            "addresses for clients; send the bytes as 'data:...;base64,...'",
            param=where,
        )
