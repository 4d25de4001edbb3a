"""An engine's answer on its way to the client: bytes through, the name restored, tokens read.

Owns how an answer passes, whole or as a stream, and what is known of its tokens when it ends early.
Refuses to own where names and tokens stand in the bytes (`names.py`, `usage_wire.py`).
"""

import aiohttp

from ...engines.client import has_died
from ..errors import NotReady
from .asked import Asked, tokens_of_answers, tokens_of_prompt
from .names import ModelName
from .usage_wire import StreamMeter, Tokens, asks_for_usage, tokens_of_event, usage_of
from .wire import Headers, Reply

EVENT_STREAM = "text/event-stream"
ERROR_EVENT = b'data: {"error"'
"""How a stream begins that is none: an engine that failed after it had said 200."""


class Meter:
    """What one request took. `sent`: an engine is at work on it, or has answered it."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._whole: Tokens | None = None
        self._stream: StreamMeter | None = None
        self.sent = False

    @property
    def tokens(self) -> Tokens | None:
        """What the engine said; where it came to no end, the prompt's estimate and the tokens that
        the events hold which passed. None where nothing was answered, or nothing is counted.
        """
        if not self.sent or self._asked.kind == "tokenize":
            return None
        told = self._whole or (self._stream.tokens if self._stream is not None else None)
        if told is not None:
            return told
        fields, seen = self._asked.fields, self._stream.num_events if self._stream else 0
        most = max(seen, tokens_of_answers(fields))
        return Tokens(tokens_of_prompt(fields), min(seen * tokens_of_event(fields), most))

    def stream(self) -> StreamMeter:
        """The reader of a stream that begins."""
        withhold = not asks_for_usage(self._asked.fields)
        self._stream = StreamMeter(self._asked.kind, withhold=withhold)
        return self._stream

    def read(self, body: bytes) -> None:
        """Read a whole answer."""
        self._whole = usage_of(body, self._asked.kind)


async def pass_on(
    upstream: aiohttp.ClientResponse,
    names: ModelName,
    headers: Headers,
    reply: Reply,
    meter: Meter,
) -> None:
    """Pass an answer on. A stream begins with its first bytes: until then another engine can do it.

    Raises:
        NotReady: the engine says, before anything else, that it has come to its end.
        what aiohttp raises where the engine breaks off.
    """
    kind = upstream.headers.get("content-type", "application/json")
    headers = [(b"content-type", kind.encode("latin-1")), *headers]
    if not kind.startswith(EVENT_STREAM):
        body = await upstream.read()
        if upstream.status < 400:
            meter.read(body)
            body = names.feed(body) + names.end()
        else:
            _refuse_last_words(body)
            body = names.everywhere(body)
        await reply.whole(upstream.status, body, headers)
        return
    stream = meter.stream()
    async for chunk in upstream.content.iter_any():
        data = names.feed(stream.feed(chunk))
        if data:
            if not reply.begun:
                if data.startswith(ERROR_EVENT):
                    _refuse_last_words(data.partition(b"\n")[0].removeprefix(b"data: "))
                await reply.start(upstream.status, headers, streaming=True)
            await reply.chunk(data)
    if not reply.begun:
        await reply.start(upstream.status, headers, streaming=True)
    await reply.chunk(names.feed(stream.end()) + names.end(), last=True)


def _refuse_last_words(error: bytes) -> None:
    if has_died(error.decode(errors="replace")):
        raise NotReady(
            "the engine ended before it answered; it is started again, ask again in a moment"
        )
