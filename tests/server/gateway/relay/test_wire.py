"""A block that runs while the client is there: who leaves, who is late, who does not read."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from skillweave.server.gateway.errors import DeadlinePassed, RequestRefused
from skillweave.server.gateway.relay.wire import Attended, ClientGone, Reply, read_body
from skillweave.server.gateway.telemetry.span import Span

Message = dict[str, Any]


class Client:
    """The other side: leaves when told to, and takes what it is sent while `reads` is set."""

    def __init__(self, *, reads: bool = True) -> None:
        self.gone = asyncio.Event()
        self.reads = asyncio.Event()
        if reads:
            self.reads.set()
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        await self.reads.wait()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(test(), 5)

    asyncio.run(bounded())


def test_a_block_that_ends_in_time_is_left_alone() -> None:
    async def test() -> None:
        client = Client()
        reply = Reply(client.send, Span("/x"))
        async with Attended(client.receive, reply, timeout_s=1.0):
            await reply.whole(200, b"done", [])
            client.gone.set()  # a client that has its answer may leave
            await asyncio.sleep(0.01)
        assert client.sent[-1]["body"] == b"done"

    run(test)


def test_a_client_that_leaves_ends_the_block() -> None:
    async def test() -> None:
        client = Client()
        stopped = asyncio.Event()

        async def work() -> None:
            client.gone.set()
            try:
                await asyncio.sleep(60)
            finally:
                stopped.set()

        with pytest.raises(ClientGone):
            async with Attended(client.receive, Reply(client.send, Span("/x"))):
                await work()
        assert stopped.is_set()
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling()  # the task goes on

    run(test)


def test_time_that_is_over_ends_the_block() -> None:
    async def test() -> None:
        client = Client()
        with pytest.raises(DeadlinePassed, match=r"within 0.01 s"):
            async with Attended(client.receive, Reply(client.send, Span("/x")), timeout_s=0.01):
                await asyncio.sleep(60)

    run(test)


def test_a_client_that_does_not_read_counts_as_gone() -> None:
    async def test() -> None:
        client = Client(reads=False)
        reply = Reply(client.send, Span("/x"))
        with pytest.raises(ClientGone):
            async with Attended(client.receive, reply, stall_s=0.02):
                await reply.chunk(b"never read")

    run(test)


def test_bad_news_does_not_wait_for_ever_for_a_client_that_does_not_read() -> None:
    async def test() -> None:
        client = Client(reads=False)
        reply = Reply(client.send, Span("/x"), stall_s=0.02)
        client.reads.set()
        await reply.start(200, [], streaming=True)
        client.reads.clear()
        with pytest.raises(DeadlinePassed) as late:
            async with Attended(client.receive, reply, timeout_s=0.01):
                await reply.chunk(b"never read")
        await reply.fail(late.value)
        assert reply.span.outcome == "DeadlinePassed"

    run(test)


def test_a_failure_and_a_cancellation_from_elsewhere_pass() -> None:
    async def test() -> None:
        client = Client()
        with pytest.raises(KeyError):
            async with Attended(client.receive, Reply(client.send, Span("/x")), timeout_s=9):
                raise KeyError

        async def work() -> None:
            async with Attended(client.receive, Reply(client.send, Span("/x")), timeout_s=9):
                await asyncio.sleep(60)

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(test)


def body_of(*parts: bytes) -> Callable[[], Awaitable[Message]]:
    """A client that sends a body in parts."""
    left = [*parts]

    async def receive() -> Message:
        part = left.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(left)}

    return receive


@pytest.mark.parametrize("parts", [(b"",), (b"{}",), (b"{", b"", b"}")])
def test_a_body_in_parts(parts: tuple[bytes, ...]) -> None:
    async def test() -> None:
        scope = {"headers": [(b"content-type", b"application/json; charset=utf-8")]}
        assert await read_body(scope, body_of(*parts)) == b"".join(parts)
        with pytest.raises(RequestRefused, match="expected application/json"):
            await read_body({"headers": []}, body_of(*parts))

    run(test)
