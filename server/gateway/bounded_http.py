"""uvicorn's HTTP protocol with bounds on the head of a request: its size, and its time.

Without them a client can fill the memory with one endless header (after a body, too: a trailer),
and hold connections for ever by sending nothing. uvicorn has no setting for either and no place to
put one, so some of its callbacks are extended here; nothing else is changed. Owns these two bounds.
Refuses to own the body (`relay/wire.py`).
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ..access_settings import Limits
from .errors import INVALID, Row, error_body


@dataclass(frozen=True)
class Refusal:
    """One answer, as an application gives it and as bytes on a connection that has none."""

    status: int
    message: str

    @property
    def body(self) -> bytes:
        """OpenAI's error body."""
        return error_body(self.message, row=Row(self.status, INVALID))

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The connection ends with the answer."""
        length = str(len(self.body)).encode()
        kind = (b"content-type", b"application/json")
        return [kind, (b"content-length", length), (b"connection", b"close")]

    @property
    def raw(self) -> bytes:
        """Everything from the status line on."""
        line = f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n".encode()
        heads = b"".join(b"%s: %s\r\n" % pair for pair in self.headers)
        return line + heads + b"\r\n" + self.body

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As an application."""
        start = {"type": "http.response.start", "status": self.status, "headers": self.headers}
        await send(start)
        await send({"type": "http.response.body", "body": self.body})


class BoundedHttp(HttpToolsProtocol):
    """Counts and times the head of a request; what comes after it is uvicorn's."""

    limits: ClassVar[Limits] = Limits()
    _got_on = False
    _waiting_bytes = 0
    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what neither ends a head nor is a piece of a body: it is kept until it ends."""
        self._got_on = False
        super().data_received(data)
        self._waiting_bytes = 0 if self._got_on else self._waiting_bytes + len(data)
        if self._waiting_bytes > self.limits.header_bytes:
            self._end(_too_large(self.limits))

    def on_body(self, body: bytes) -> None:
        self._got_on = True
        super().on_body(body)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begin_head()

    def on_headers_complete(self) -> None:
        self._got_on = True
        self._stop_clock()
        size = len(self.url) + sum(len(k) + len(v) for k, v in self.headers)
        app = self.app
        if size > self.limits.header_bytes:
            self.app = _too_large(self.limits).answer
        try:
            super().on_headers_complete()
        finally:
            self.app = app

    def _begin_head(self) -> None:
        self._got_on = True
        self._stop_clock()
        self._clock = self.loop.call_later(self.limits.head_timeout_s, self._too_slow)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _too_slow(self) -> None:
        if self._answering:
            self._begin_head()  # nothing may be put into an answer that is on its way
            return
        wait_s = self.limits.head_timeout_s
        self._end(Refusal(408, f"the head of the request took longer than {wait_s:g} s"))

    @property
    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        return cycle is not None and not cycle.response_complete

    def _end(self, refusal: Refusal) -> None:
        self._stop_clock()
        if not self.transport.is_closing():
            if not self._answering:
                self.transport.write(refusal.raw)
            self.transport.close()


def bounded_http(limits: Limits) -> type[BoundedHttp]:
    """The protocol class for `uvicorn.Config(http=...)`."""
    return type("BoundedHttp", (BoundedHttp,), {"limits": limits})


def _too_large(limits: Limits) -> Refusal:
    return Refusal(431, f"the head of the request is larger than {limits.header_bytes} bytes")
