"""A fake engine that costs next to nothing: what stands in front of it is what is measured.

    python -m skillweave.scripts.bench.serve_upstream --port N

A raw protocol instead of a framework, so that it answers some 20 000 times a second on one core. It
speaks enough of the wire for a gateway that fronts it: `/health`, `/v1/models`, completions and
chat, whole or streamed. The words are fixed, and their number is `max_tokens`; the model's name is
the one that was asked for. Streams go out one event at a time, each in a write of its own, with
`gap_us` microseconds between them where the request says so; every event carries the time of its
sending (`sent_ns`, the clock that all processes of a machine share).
Owns these answers. Refuses adapters: `engines/fake.py` knows them.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import cast

import uvloop

NAME = "upstream-base"
CREATED = 1_700_000_000
_END = b"\r\n\r\n"


def whole(model: str, words: int, *, chat: bool) -> bytes:
    """A whole answer as an engine writes it, without spaces."""
    text = " ".join(["word"] * words)
    said = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    document = {
        "id": "cmpl-1",
        "object": "chat.completion" if chat else "text_completion",
        "created": CREATED,
        "model": model,
        "choices": [{"index": 0, **said, "logprobs": None, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 8, "total_tokens": 8 + words, "completion_tokens": words},
    }
    return json.dumps(document, separators=(",", ":")).encode()


def events(
    model: str, words: int, *, chat: bool, clock: Callable[[], int] = time.monotonic_ns
) -> Iterator[bytes]:
    """The events of a stream; the last one is `[DONE]`."""
    kind = "chat.completion.chunk" if chat else "text_completion"
    for position in range(words):
        piece = {"delta": {"content": " word"}} if chat else {"text": " word"}
        end = "length" if position == words - 1 else None
        document = {
            "id": "cmpl-1",
            "object": kind,
            "created": CREATED,
            "model": model,
            "choices": [{"index": 0, **piece, "logprobs": None, "finish_reason": end}],
            "sent_ns": clock(),
        }
        yield b"data: " + json.dumps(document, separators=(",", ":")).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


class Upstream(asyncio.Protocol):
    """One connection, kept alive; requests come one after another."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast(asyncio.Transport, transport)
        self._data = b""
        self._stream: asyncio.Task[None] | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """A stream that nobody reads ends."""
        if self._stream is not None:
            self._stream.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._data += data
        while (end := self._data.find(_END)) >= 0:
            head = self._data[:end]
            size = _content_length(head)
            if len(self._data) < end + len(_END) + size:
                return
            body = self._data[end + len(_END) : end + len(_END) + size]
            self._data = self._data[end + len(_END) + size :]
            self._answer(head.split(b" ", 2)[1].decode("latin-1"), body)

    def _answer(self, path: str, body: bytes) -> None:
        if path == "/health":
            self._write(b"")
        elif path == "/v1/models":
            listed = {"id": NAME, "object": "model", "root": NAME, "parent": None}
            self._write(json.dumps({"object": "list", "data": [listed]}).encode())
        elif path in ("/v1/chat/completions", "/v1/completions"):
            asked = json.loads(body)
            chat, words = path.endswith("chat/completions"), int(asked.get("max_tokens") or 16)
            if asked.get("stream"):
                gap_s = int(asked.get("gap_us") or 0) / 1e6
                work = self._send_stream(events(asked["model"], words, chat=chat), gap_s)
                self._stream = asyncio.ensure_future(work)
            else:
                self._write(whole(asked["model"], words, chat=chat))
        else:
            self._write(b'{"error":{"message":"no such route"}}', status=b"404 Not Found")

    def _write(self, body: bytes, *, status: bytes = b"200 OK") -> None:
        self._transport.write(
            b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
            % (status, len(body), body)
        )

    async def _send_stream(self, said: Iterator[bytes], gap_s: float) -> None:
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        for event in said:
            self._transport.write(b"%x\r\n%s\r\n" % (len(event), event))
            await asyncio.sleep(gap_s)
        self._transport.write(b"0\r\n\r\n")


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    """Serve on loopback until killed."""
    parser = argparse.ArgumentParser(prog="skillweave.scripts.bench.serve_upstream")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(port))


if __name__ == "__main__":
    main()
