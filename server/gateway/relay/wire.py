"""ASGI at its plainest: read a body, answer once, notice that the client has left.

Owns these few moves, because the hot path goes without a framework. Refuses to know what is
being said.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence

from starlette.types import Receive, Scope, Send

from ..errors import DeadlinePassed, RequestRefused, TooBusy, error_reply
from ..telemetry.span import Span

MAX_BODY_BYTES = 32 * 1024 * 1024
RETRY_AFTER_S = b"2"
"""What a client is told to wait while an engine is started again."""
BODY_S = 60.0
"""How long a client may take to send a body."""
STALL_S = 60.0
"""How long a client may leave an answer unread before it counts as gone."""
Headers = Sequence[tuple[bytes, bytes]]


class ClientGone(Exception):
    """The client has left; nobody reads an answer any more."""


async def read_body(scope: Scope, receive: Receive, *, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The whole body of a JSON request.

    Raises:
        RequestRefused: another content type (415), above `max_bytes` (413), slower than
            `BODY_S` (408).
        ClientGone: the client left while sending.
    """
    kind = header(scope, b"content-type") or ""
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise RequestRefused(
            f"content-type is {kind[:80]!r}: expected application/json", status=415
        )
    announced = header(scope, b"content-length") or ""
    if announced.isdigit() and int(announced[:15]) > max_bytes:
        raise _too_large(max_bytes)
    try:
        async with asyncio.timeout(BODY_S):  # around the first part, too: it may never come
            return await _parts(receive, max_bytes)
    except TimeoutError as err:
        raise RequestRefused(f"the body took longer than {BODY_S:g} s", status=408) from err


async def _parts(receive: Receive, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > max_bytes:
            raise _too_large(max_bytes)
        if not event.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(max_bytes: int) -> RequestRefused:
    return RequestRefused(f"the body is larger than {max_bytes} bytes", status=413)


def header(scope: Scope, name: bytes) -> str | None:
    """One request header (`name` in lower case), None where it is absent."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return None


class Attended:
    """Runs a block while the client is there and its time lasts, in the task that enters it.

    One more task and a timer are all that it costs; the block runs where it stands.

    Args:
        receive: of the request, whose body has been read.
        reply: the answer that the client is to read.
        timeout_s: how long the block may take; None for no limit.
        stall_s: how long a client may leave what waits for it unread.

    Raises:
        ClientGone: the client left, or read nothing for too long.
        DeadlinePassed: the time is over.
    """

    def __init__(
        self,
        receive: Receive,
        reply: "Reply",
        *,
        timeout_s: float | None = None,
        stall_s: float = STALL_S,
    ) -> None:
        self._stall_s = stall_s
        self._receive = receive
        self._reply = reply
        self._timeout_s = timeout_s
        self._reason: Exception | None = None

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        self._task, self._loop, self._cancelling = task, loop, task.cancelling()
        self._listener = loop.create_task(self._listen())
        self._stall = loop.call_later(self._stall_s / 2, self._look)
        self._deadline = None
        if self._timeout_s is not None:
            self._deadline = loop.call_later(self._timeout_s, self._time_is_over)

    async def __aexit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: object
    ) -> None:
        self._listener.cancel()
        self._stall.cancel()
        if self._deadline is not None:
            self._deadline.cancel()
        if self._reason is None:
            return
        ours = self._task.uncancel() <= self._cancelling
        if ours and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise self._reason from err

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._stop(ClientGone())

    def _look(self) -> None:
        if self._reply.waiting_s > self._stall_s:
            self._stop(ClientGone())
        else:
            self._stall = self._loop.call_later(self._stall_s / 2, self._look)

    def _time_is_over(self) -> None:
        self._stop(
            DeadlinePassed(
                f"no answer within {self._timeout_s:g} s, the time given in "
                "x-skillweave-timeout-s; the work was stopped: give it more time, or ask for less"
            )
        )

    def _stop(self, reason: Exception) -> None:
        if self._reason is None and not self._reply.ended:
            self._reason = reason
            self._task.cancel()


class Reply:
    """One answer on its way out; remembers whether it has begun, for errors on the way."""

    def __init__(self, send: Send, span: Span, *, stall_s: float = STALL_S) -> None:
        self._send = send
        self._stall_s = stall_s
        self.span = span
        self.begun = False
        self.ended = False
        self._streaming = False
        self._since: float | None = None

    @property
    def waiting_s(self) -> float:
        """How long the client has not taken what waits for it, in seconds."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    async def start(self, status: int, headers: Headers, *, streaming: bool) -> None:
        self.begun, self._streaming = True, streaming
        self.span.answering(status, streaming=streaming)
        every = [*headers, (b"x-request-id", self.span.request_id.encode())]
        await self._send({"type": "http.response.start", "status": status, "headers": every})

    async def chunk(self, data: bytes, *, last: bool = False) -> None:
        self.span.chunk()
        self._since = time.monotonic()
        await self._send({"type": "http.response.body", "body": data, "more_body": not last})
        self._since = None
        self.ended = last

    async def whole(self, status: int, body: bytes, headers: Headers) -> None:
        """An answer in one piece; adds its length."""
        length = (b"content-length", str(len(body)).encode())
        await self.start(status, [*headers, length], streaming=False)
        await self.chunk(body, last=True)

    async def fail(self, err: BaseException, headers: Headers = ()) -> None:
        """Say what went wrong: as a status while that is possible, as an event in a stream.

        A client that reads nothing does not hear of it; nobody waits for him any longer than that.
        """
        self.span.outcome = type(err).__name__
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._stall_s):
                await self._say(err, headers)

    async def _say(self, err: BaseException, headers: Headers) -> None:
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
