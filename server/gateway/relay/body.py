"""A request's body: parsed once, judged, and written again for the engine. Pure.

Owns the first checks of a request (JSON, duplicate keys, which kind it is), the conversation in it,
and the rewriting of `model`, system text and template arguments. Refuses to own what a client may
not say (`control.py`) and what the engine judges better: every other field passes untouched.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import cast

from ....adapters.skills import Skill, system_prompt
from ..errors import RequestRefused
from .control import check_control
from .kinds import CONVERSATIONS, SAYING, Fields, Kind


def parse_body(raw: bytes, *, kind: Kind) -> Fields:
    """Read a request.

    Raises:
        RequestRefused: no JSON object, a key twice, a control field, no model, no messages.
    """
    fields = _parse_json(raw)
    check_control(fields)
    if not isinstance(fields.get("model"), str) or not fields["model"]:
        raise RequestRefused(
            f"model is {fields.get('model')!r}: expected a string such as 'base', 'auto' or the "
            "name of a skill; GET /v1/models lists them",
            param="model",
        )
    _check_saying(fields, kind)
    return fields


def messages_of(fields: Fields) -> list[Fields] | None:
    """The checked messages of a request, None where it has a prompt or an input instead."""
    return cast("list[Fields] | None", fields.get("messages"))


def conversation_of(fields: Fields) -> list[Fields] | None:
    """What is said in a request as chat messages; None where it is a mere prompt.

    The input of `/v1/responses` is read as the conversation that it stands for: calls of one turn
    are one message of the assistant, their results are messages of the role `tool`.
    """
    if "messages" in fields:
        return messages_of(fields)
    if "input" not in fields:
        return None
    instructions, given = fields.get("instructions"), fields["input"]
    system = [{"role": "system", "content": instructions}] if instructions else []
    items = given if isinstance(given, list) else [{"role": "user", "content": given}]
    return [*system, *_turns(cast("list[Fields]", items))]


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
        skill: a text for the system message, or the instructions; never with a prompt.
        template_arguments: defaults for the chat template; what the client says wins.
        control: fields by which the gateway steers the engine, such as `priority`.
    """
    out: Fields = {**fields, "model": model, **(control or {})}
    messages = messages_of(fields)
    if skill is not None and messages is not None:
        out["messages"] = with_skill_text(messages, skill)
    elif skill is not None and "input" in fields:
        given = fields.get("instructions")
        out["instructions"] = system_prompt(skill, given if isinstance(given, str) else None)
    if template_arguments and "prompt" not in fields:
        given = fields.get("chat_template_kwargs")
        out["chat_template_kwargs"] = {
            **template_arguments,
            **(given if isinstance(given, dict) else {}),
        }
    return dump(out)


def dump(value: object, *, sort_keys: bool = False) -> bytes:
    """JSON, as short as it goes.

    Raises:
        RequestRefused: what a client sent is nested too deep to be written again.
    """
    try:
        return json.dumps(value, separators=(",", ":"), sort_keys=sort_keys).encode()
    except RecursionError as err:
        raise RequestRefused("the body is nested too deep") from err


def _parse_json(raw: bytes) -> Fields:
    try:
        text = raw.decode(json.detect_encoding(raw))  # strictly; `loads` lets halves pass
        fields = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
    except RequestRefused:
        raise
    except (ValueError, RecursionError) as err:
        raise RequestRefused(f"the body is not JSON: {str(err)[:200]}") from err
    if not isinstance(fields, dict):
        raise RequestRefused(f"the body is a JSON {type(fields).__name__}: expected an object")
    if _HALF.search(text):
        _refuse_half_characters(fields)
    return fields


_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""A surrogate; two of them in the right order spell a character, one alone spells nothing."""


def _refuse_half_characters(fields: Fields) -> None:
    try:
        json.dumps(fields, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError) as err:
        raise RequestRefused(
            "the body holds half a character (a surrogate without its other half): expected text "
            "that is valid Unicode"
        ) from err


def _unique(pairs: list[tuple[str, object]]) -> Fields:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        times = Counter(key for key, _ in pairs)
        twice = next(key for key, count in times.items() if count > 1)
        raise RequestRefused(f"duplicate key {twice!r} in the body: say it once", param=twice)
    return fields


def _finite(text: str) -> float:
    """A number with a point or an exponent; one that overflows has no way to be said again."""
    number = float(text)
    return number if math.isfinite(number) else _no_constant(text[:40])


def _no_constant(text: str) -> float:
    raise RequestRefused(f"{text} is not JSON: expected a finite number")


def _turns(items: list[Fields]) -> list[Fields]:
    turns: list[Fields] = []
    for item in items:
        kind = item.get("type", "message")
        if kind == "function_call_output":
            turns.append({"role": "tool", "content": item.get("output")})
        elif kind == "function_call":
            if turns and turns[-1]["role"] == "assistant":
                calls = cast("list[Fields]", turns[-1].setdefault("tool_calls", []))
                calls.append(item)
            else:
                turns.append({"role": "assistant", "content": "", "tool_calls": [item]})
        elif isinstance(item.get("role"), str):
            turns.append({"role": item["role"], "content": item.get("content")})
    return turns


def _check_saying(fields: Fields, kind: Kind) -> None:
    expected = CONVERSATIONS[kind]
    given = [name for name in expected if name in fields]
    for name in SAYING.intersection(fields):
        if name not in given[:1]:
            raise RequestRefused(
                f"{name} does not belong into this request, which is answered by its "
                f"{' or '.join(expected)}: leave it out, or ask the route that reads it",
                param=name,
            )
    if "messages" in given or expected == ("messages",):
        _check_messages(fields.get("messages"))
    elif not given:
        raise RequestRefused(f"{expected[-1]} is missing: expected a string", param=expected[-1])
    elif "input" in given:
        _check_input(fields["input"])


def _check_input(items: object) -> None:
    if isinstance(items, str):
        return
    if not isinstance(items, list) or not items:
        what = "an empty list" if items == [] else type(items).__name__
        raise RequestRefused(
            f"input is {what}: expected a string or a list of items", param="input"
        )
    for place, item in enumerate(items):
        if not isinstance(item, dict):
            raise RequestRefused(f"input[{place}] is no object", param=f"input[{place}]")


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
