"""The head of a request: bounded in size and time, on real connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from skillweave.server.access_settings import Limits
from skillweave.server.gateway.bounded_http import bounded_http
from skillweave.server.supervision.listen import open_listener
from starlette.types import ASGIApp, Receive, Scope, Send

HEAD = b"GET / HTTP/1.1\r\nhost: x\r\n"


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hi"})


async def reads_all(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await hello(scope, receive, send)


@asynccontextmanager
async def serving(app: ASGIApp = hello, **limits: float) -> AsyncIterator[int]:
    protocol = bounded_http(Limits.model_validate({"header_bytes": 2048, **limits}))
    config = uvicorn.Config(app, http=protocol, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    listener = open_listener("127.0.0.1", 0)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.force_exit = True
        await server.shutdown(sockets=[listener])


async def exchange(port: int, *parts: bytes, end: bool = False) -> bytes:
    """Everything that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        if end:
            return await reader.readuntil(b"hi")
        return await reader.read()
    except ConnectionError:
        return b"closed"
    finally:
        writer.close()


def test_an_ordinary_head_passes_and_the_connection_lives_on() -> None:
    async def test() -> None:
        async with serving() as port:
            answer = await exchange(port, HEAD, b"x: y\r\n\r\n", end=True)
            assert answer.startswith(b"HTTP/1.1 200")
            both = await exchange(port, HEAD + b"\r\n", HEAD + b"connection: close\r\n\r\n")
            assert both.count(b"HTTP/1.1 200") == 2

    asyncio.run(test())


def test_a_head_that_is_too_large_is_refused_whole_or_in_pieces() -> None:
    async def test() -> None:
        async with serving() as port:
            large = b"x: " + b"y" * 3000
            whole = await exchange(port, HEAD + large + b"\r\n\r\n")
            assert whole.startswith(b"HTTP/1.1 431")
            assert b"larger than 2048 bytes" in whole
            many = b"".join(b"x%d: y\r\n" % n for n in range(1000))
            assert (await exchange(port, HEAD + many + b"\r\n")).startswith(b"HTTP/1.1 431")
            url = b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\nhost: x\r\n\r\n"
            assert (await exchange(port, url)).startswith(b"HTTP/1.1 431")
            endless = await exchange(port, HEAD, *[b"x: " + b"y" * 1000] * 6)
            assert endless.startswith((b"HTTP/1.1 431", b"closed"))

    asyncio.run(test())


def test_what_follows_a_body_is_bounded_like_a_head() -> None:
    head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    trailer = b"x: " + b"y" * 995 + b"\r\n"

    async def test() -> None:
        async with serving(reads_all) as port:
            for begin, more in (
                (b"2\r\n{}\r\n0\r\nx: ", b"y" * 1000),
                (b"2\r\n{}\r\n0\r\n", trailer),
                (b"2;", b"y" * 1000),  # an extension of a chunk
            ):
                answer = await exchange(port, head + begin, *[more] * 6)
                assert answer in (b"", b"closed"), begin  # the end alone: it is being answered
            pieces = [b"3e8\r\n" + b"y" * 1000 + b"\r\n"] * 6  # a long body is not bounded here
            end = b"0\r\n\r\n"
            assert (await exchange(port, head, *pieces, end, end=True)).startswith(b"HTTP/1.1 200")

    asyncio.run(test())


def test_a_head_that_never_ends_is_not_waited_for() -> None:
    async def test() -> None:
        async with serving(head_timeout_s=0.05) as port:
            for beginning in (b"", HEAD):
                answer = await exchange(port, beginning)
                assert answer.startswith(b"HTTP/1.1 408")

    asyncio.run(test())
