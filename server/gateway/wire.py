"""ASGI at its plainest: read a body, answer once, notice that the client has left.

Owns these few moves, because the hot path goes without a framework. Refuses to know what is
being said.
"""

import asyncio
from collections.abc import Coroutine, Sequence

from starlette.types import Receive, Scope, Send

from .errors import RequestRefused, TooBusy, error_reply
from .telemetry.span import Span

MAX_BODY_BYTES = 32 * 1024 * 1024
RETRY_AFTER_S = b"2"
"""What a client is told to wait while an engine is started again."""
Headers = Sequence[tuple[bytes, bytes]]


class ClientGone(Exception):
    """The client has left; nobody reads an answer any more."""


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """The whole body of a JSON request.

    Raises:
        RequestRefused: another content type (415), or above `MAX_BODY_BYTES` (413).
        ClientGone: the client left while sending.
    """
    kind = header(scope, b"content-type") or ""
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise RequestRefused(
            f"content-type is {kind[:80]!r}: expected application/json", status=415
        )
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            raise RequestRefused(f"the body is larger than {MAX_BODY_BYTES} bytes", status=413)
        if not event.get("more_body", False):
            return b"".join(parts)


def header(scope: Scope, name: bytes) -> str | None:
    """One request header (`name` in lower case), None where it is absent."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return None


async def while_connected(receive: Receive, work: Coroutine[object, object, None]) -> None:
    """Await `work`; cancel it when the client leaves first.

    Raises:
        ClientGone: the client left.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnect(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGone
        task.result()
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait((task,))


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Reply:
    """One answer on its way out; remembers whether it has begun, for errors on the way."""

    def __init__(self, send: Send, span: Span) -> None:
        self._send = send
        self._span = span
        self.begun = False
        self._streaming = False

    async def start(self, status: int, headers: Headers, *, streaming: bool) -> None:
        self.begun, self._streaming = True, streaming
        self._span.answering(status, streaming=streaming)
        every = [*headers, (b"x-request-id", self._span.request_id.encode())]
        await self._send({"type": "http.response.start", "status": status, "headers": every})

    async def chunk(self, data: bytes, *, last: bool = False) -> None:
        self._span.chunk()
        await self._send({"type": "http.response.body", "body": data, "more_body": not last})

    async def whole(self, status: int, body: bytes, headers: Headers) -> None:
        """An answer in one piece; adds its length."""
        length = (b"content-length", str(len(body)).encode())
        await self.start(status, [*headers, length], streaming=False)
        await self.chunk(body, last=True)

    async def fail(self, err: BaseException, headers: Headers = ()) -> None:
        """Say what went wrong: as a status while that is possible, as an event in a stream."""
        self._span.outcome = type(err).__name__
        status, body = error_reply(err)
        if not self.begun:
            more = [(b"content-type", b"application/json")]
            if isinstance(err, TooBusy):
                more.append((b"retry-after", str(max(1, round(err.retry_after_s))).encode()))
            elif status == 503:
                more.append((b"retry-after", RETRY_AFTER_S))
            await self.whole(status, body, [*headers, *more])
        elif self._streaming:
            await self.chunk(b"data: " + body + b"\n\n", last=True)
