"""Thousands of made-up requests from a schema, by schemathesis, over a real socket.

A part of the exam `serve`. Criterion, before the run: 10 000 cases, over every operation of the
server's own OpenAPI document and the relayed routes (described here, as they are plain ASGI), half
of them valid and half of them not; no 5xx, no traceback, no error that is not OpenAI's document, no
answer that takes longer than 20 s; and afterwards the server still answers rightly.
To describe one more relayed route: a line in `RELAYED`.
"""

import contextlib
import copy
import json
import urllib.request
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Err

from ..bench.rows import Row
from .serve_crowd import Crowd, is_openai_error
from .serve_ground import Ground, serving

CASES, SEED = 10_000, 0
SILENCE_S = 20.0
Json = dict[str, Any]

_TEXT: Json = {"type": "string", "maxLength": 40}
_MODEL: Json = {"enum": ["base", "crowd", "crowd@1", "crowd@1+crowd@2*0.5", "crowd@default"]}
_PART: Json = {
    "type": "object",
    "properties": {"type": {"const": "text"}, "text": _TEXT},
    "required": ["type", "text"],
}
_FEW: Json = {"type": "integer", "minimum": 0, "maximum": 5}
_MESSAGE: Json = {
    "type": "object",
    "properties": {
        "role": {"enum": ["system", "user", "assistant", "tool"]},
        "content": {"anyOf": [_TEXT, {"type": "array", "items": _PART, "maxItems": 3}]},
    },
    "required": ["role", "content"],
}
_COMMON: Json = {
    "model": _MODEL,
    "max_tokens": {"type": "integer", "minimum": 1, "maximum": 8},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "top_p": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    "n": {"type": "integer", "minimum": 1, "maximum": 2},
    "stream": {"type": "boolean"},
    "stream_options": {"type": "object", "properties": {"include_usage": {"type": "boolean"}}},
    "stop": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "maxItems": 4}]},
    "seed": {"type": "integer"},
    "user": _TEXT,
    "logit_bias": {"type": "object", "additionalProperties": {"type": "number"}},
    "chat_template_kwargs": {"type": "object"},
    "metadata": {"type": "object"},
}
_MESSAGES: Json = {"type": "array", "items": _MESSAGE, "minItems": 1, "maxItems": 4}
_TOOLS: Json = {"type": "array", "items": {"type": "object"}, "maxItems": 2}
_PROMPT: Json = {"anyOf": [_TEXT, {"type": "array", "items": {"type": "integer"}, "maxItems": 9}]}
RELAYED: Mapping[str, Json] = {
    "/v1/chat/completions": {"messages": _MESSAGES, "tools": _TOOLS},
    "/v1/completions": {"prompt": _PROMPT, "logprobs": _FEW},
    "/v1/responses": {"input": {"anyOf": [_TEXT, _MESSAGES]}, "instructions": _TEXT},
    "/tokenize": {"prompt": _TEXT},
}
_HEADERS: Mapping[str, Json] = {
    "x-skillweave-session": {"type": "string", "minLength": 1, "maxLength": 80},
    "x-skillweave-timeout-s": {"type": "integer", "minimum": 5, "maximum": 60},
    "x-request-id": {"type": "string", "maxLength": 80},
}
_LEFT_OUT = ("/admin/keys",)
"""Keys that exist would shut everybody else out; the table of keys is an exam of its own."""


@dataclass
class Fuzzed:
    """What came of it. `statuses` counts answers."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def rows(home: Path, *, cases: int = CASES, only: Collection[str] | None = None) -> list[Row]:
    """A server with a fake engine, all cases, and a right answer at the end.

    Args:
        only: paths to ask; None asks all.
    """
    with serving(home, adapters=2) as ground:
        crowd = Crowd(ground.running.root, ground.models)
        crowd.learn()
        fuzzed = fuzz(ground, cases=cases, only=only)
        crowd.until_right(ground.models[-1], within_s=30.0)
        faults = [*fuzzed.faults, *crowd.tally.faults]
    told: dict[str, object] = {
        "statuses": {str(status): n for status, n in sorted(fuzzed.statuses.items())},
        "faults": faults[:10],
    }
    versions = {name: version(name) for name in ("schemathesis", "hypothesis")}
    total = sum(fuzzed.statuses.values())
    return [
        Row("schemathesis: faults", len(faults), total, "==", 0, ours=told, versions=versions),
        Row("schemathesis: cases", total, total, op=">=", bar=cases, versions=versions),
    ]


def _operations(schema: schemathesis.BaseSchema) -> Iterator[Any]:
    """All of them; a document with a part that does not read is an error."""
    for found in schema.get_all_operations():
        if isinstance(found, Err):
            raise found.err()
        yield found.ok()


def fuzz(ground: Ground, *, cases: int, only: Collection[str] | None = None) -> Fuzzed:
    """Spread the cases over all operations, valid and invalid ones by turns."""
    root, fuzzed = ground.running.root, Fuzzed()
    asked = document(root)
    asked["paths"] = {p: of for p, of in asked["paths"].items() if only is None or p in only}
    schema = schemathesis.openapi.from_dict(asked)
    schema.config.update(base_url=root)
    operations = [*_operations(schema)]
    modes = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
    each = -(-cases // (len(operations) * len(modes)))
    headers = {"x-skillweave-admin-key": ground.running.admin_key}
    with requests.Session() as session:
        session.headers.update(headers)
        for place, operation in enumerate(operations):
            for mode in modes:
                _run(operation, mode, each, seed_of=SEED + place, session=session, fuzzed=fuzzed)
        while (missing := cases - sum(fuzzed.statuses.values())) > 0:  # small inputs run out
            before = sum(fuzzed.statuses.values())
            spare = operations[missing % len(operations)]
            _run(spare, modes[1], missing, seed_of=SEED + missing, session=session, fuzzed=fuzzed)
            if sum(fuzzed.statuses.values()) == before:
                break
    return fuzzed


def document(root: str) -> Json:
    """The server's own OpenAPI document and the relayed routes."""
    with urllib.request.urlopen(f"{root}/openapi.json", timeout=30) as reply:
        own: Json = json.load(reply)
    paths: Json = {
        path: operations
        for path, operations in own["paths"].items()
        if not path.startswith(_LEFT_OUT)
    }
    for path, fields in RELAYED.items():
        paths[path] = {"post": _operation(fields)}
    return {**own, "paths": paths}


def _operation(fields: Json) -> Json:
    body = {"type": "object", "properties": {**_COMMON, **fields}, "required": ["model", *fields]}
    parameters = [
        {"name": name, "in": "header", "schema": dict(schema)} for name, schema in _HEADERS.items()
    ]
    return {
        "parameters": parameters,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": copy.deepcopy(body)}},
        },
        "responses": {"200": {"description": "an answer"}},
    }


def _run(
    operation: Any,
    mode: schemathesis.GenerationMode,
    cases: int,
    *,
    seed_of: int,
    session: requests.Session,
    fuzzed: Fuzzed,
) -> None:
    strategy = operation.as_strategy(generation_mode=mode)

    @seed(seed_of)
    @settings(
        max_examples=cases,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def ask(case: Any) -> None:
        _judge(case, session, fuzzed)

    with contextlib.suppress(Unsatisfiable):  # nothing invalid can be said where nothing is read
        ask()


def _judge(case: Any, session: requests.Session, fuzzed: Fuzzed) -> None:
    what = f"{case.method} {case.path} {str(case.body)[:200]}"
    try:
        reply = case.call(session=session, timeout=SILENCE_S)
    except requests.Timeout:
        fuzzed.faults.append(f"{what}: silence for {SILENCE_S:g} s")
        return
    except (requests.RequestException, UnicodeError) as err:
        if not isinstance(err, requests.exceptions.InvalidHeader | UnicodeError):
            fuzzed.faults.append(f"{what}: {type(err).__name__}: {err}")
        return
    fuzzed.statuses[reply.status_code] += 1
    content = reply.content or b""
    if b"Traceback" in content:
        fuzzed.faults.append(f"{what}: a traceback")
    elif reply.status_code >= 500:
        fuzzed.faults.append(f"{what}: {reply.status_code} {content[:200]!r}")
    elif reply.status_code >= 400 and case.method != "HEAD" and not is_openai_error(content):
        fuzzed.faults.append(f"{what}: {reply.status_code} is no error document: {content[:200]!r}")
