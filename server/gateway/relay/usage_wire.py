"""Tokens of an answer, read in the bytes that pass. Pure.

Owns where engines write them: in the body of an answer, in the last event before the end of a
stream. So that a stream has that event, every stream is asked for with `include_usage`; a client
that did not ask for it does not see it, and every other byte is passed on as it came.
Refuses to own who pays for them (`access/`). In JSON the bytes `"usage":` can only be a key, since
inside a string every quote is escaped; but only where no object of the client's is echoed behind
it, so answers of `/v1/responses`, which echo tools and metadata, are parsed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from .kinds import Fields, Kind

_KEY = b'"usage":'
_MARK = b'"usage":{'
_NO_CHOICES = b'"choices":[]'
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Tokens:
    """What an answer took."""

    prompt: int
    completion: int


_YES = frozenset({"1", "on", "t", "true", "y", "yes"})


def asks_for_usage(fields: Fields) -> bool:
    """Whether the client wants the last event of a stream that tells the tokens."""
    options = fields.get("stream_options")
    return isinstance(options, dict) and _is_yes(options.get("include_usage"))


def tokens_of_event(fields: Fields) -> int:
    """How many tokens an event of this stream may hold; a client can ask for long ones."""
    value = fields.get("stream_interval")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 1
    try:
        return max(1, int(float(value)))
    except (ValueError, OverflowError):
        return 1


def usage_control(fields: Fields, kind: Kind) -> Mapping[str, object]:
    """What to ask of the engine on top, so that a stream tells its tokens."""
    options = fields.get("stream_options")
    wanted = kind in ("chat", "completion") and _is_yes(fields.get("stream"))
    if not wanted or asks_for_usage(fields) or not isinstance(options, dict | None):
        return {}
    return {"stream_options": {"include_usage": True}}


def usage_of(body: bytes, kind: Kind) -> Tokens | None:
    """Tokens in a whole answer; None where it tells none."""
    if kind == "response":
        return _in_response(_object(body))
    end = len(body)
    while (at := body.rfind(_KEY, 0, end)) >= 0:
        found = _tokens(_object_at(body, at + len(_KEY)))
        if found is not None:
            return found
        end = at
    return None


class StreamMeter:
    """Reads the tokens of one stream while it passes.

    Args:
        withhold: the event that tells only the tokens is not passed on.

    `tokens` is what the engine said, None until then; `num_events` counts the events of the stream,
    about one for each token.
    """

    def __init__(self, kind: Kind, *, withhold: bool) -> None:
        self._kind: Kind = kind
        self._withhold = withhold
        self._held = b""
        self.tokens: Tokens | None = None
        self.num_events = 0

    def feed(self, chunk: bytes) -> bytes:
        """What to pass on now: whole events, as the engine wrote them."""
        data = self._held + chunk if self._held else chunk
        if data.endswith(b"\n\n"):
            self._held = b""
        else:
            end = _end_of_last_event(data)
            self._held, data = data[end:], data[:end]
        self.num_events += data.count(b"data: ")
        return self._read(data) if _MARK in data else data

    def end(self) -> bytes:
        """What is still held back when the stream has ended."""
        held, self._held = self._held, b""
        return held

    def _read(self, data: bytes) -> bytes:
        kept = []
        for event in _split(data):
            if _MARK not in event or not self._tells_only_tokens(event) or not self._withhold:
                kept.append(event)
        return b"".join(kept)

    def _tells_only_tokens(self, event: bytes) -> bool:
        document = _object(event.partition(b"data:")[2])
        if self._kind == "response":
            if document.get("type") in _LAST_OF_RESPONSE:
                response = document.get("response")
                self.tokens = _in_response(response if isinstance(response, dict) else {})
            return False
        self.tokens = _tokens(document.get("usage")) or self.tokens
        return _NO_CHOICES in event


def _is_yes(value: object) -> bool:
    """As engines read a boolean, which take 1 and "true" for yes: else those would go unpaid."""
    if isinstance(value, str):
        return value.lower() in _YES
    return isinstance(value, int | float) and value == 1


_LAST_OF_RESPONSE = ("response.completed", "response.incomplete", "response.failed")


def _end_of_last_event(data: bytes) -> int:
    plain, long = data.rfind(b"\n\n"), data.rfind(b"\r\n\r\n")
    return max(plain + 2 if plain >= 0 else 0, long + 4 if long >= 0 else 0)


def _split(data: bytes) -> list[bytes]:
    """Whole events, each with its end."""
    gap = b"\r\n\r\n" if b"\r\n\r\n" in data else b"\n\n"
    return [event + gap for event in data.removesuffix(gap).split(gap)]


def _object(text: bytes) -> Fields:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast(Fields, found) if isinstance(found, dict) else {}


def _object_at(body: bytes, at: int) -> object:
    """The object that begins here; only its own bytes are read."""
    end = body.find(b"}", at)
    while 0 <= end < at + 4096:
        try:
            return cast(object, _DECODER.decode(body[at : end + 1].decode()))
        except (ValueError, RecursionError):
            end = body.find(b"}", end + 1)
    return None


def _in_response(response: Fields) -> Tokens | None:
    return _tokens(response.get("usage"))


def _tokens(usage: object) -> Tokens | None:
    if not isinstance(usage, dict):
        return None
    prompt = usage.get("prompt_tokens", usage.get("input_tokens"))
    completion = usage.get("completion_tokens", usage.get("output_tokens", 0))
    if isinstance(prompt, int) and isinstance(completion, int):
        return Tokens(prompt, completion)
    return None
