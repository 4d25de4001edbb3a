"""The client of the bench `serve`: HTTP/1.1 on a bare socket, so that its own cost is small.

`Line` is one kept-alive connection that asks and waits, for latencies; `saturate` keeps many of
them busy, for throughput. Owns these two ways of asking. Refuses to judge what comes back.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

TIMEOUT_S = 120.0
_RECV = 1 << 16


@dataclass(frozen=True)
class Heard:
    """One answer. Times are seconds since the request was sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    first_s: float
    """Until the first byte of the body."""
    total_s: float
    arrived_ns: tuple[int, ...] = ()
    """When each event of a stream arrived; the clock that all processes of a machine share."""

    @property
    def sent_ns(self) -> list[int]:
        """When each event was sent, as the fake upstream says."""
        mark = b'"sent_ns":'
        return [int(part.split(b"}", 1)[0]) for part in self.body.split(mark)[1:]]


class Line:
    """A kept-alive connection to one server.

    Args:
        url: of the server, without a path.
        key: bearer token, where one is wanted.
        timeout_s: how long a silence may last.
    """

    def __init__(self, url: str, *, key: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        self._place = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._key = key
        self._socket = socket.create_connection(self._place, timeout=timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def request(
        self, path: str, body: Mapping[str, object], headers: Mapping[str, str] | None = None
    ) -> bytes:
        """The bytes of a POST, made before the clock runs."""
        return self.raw(path, json.dumps(body).encode(), headers)

    def raw(
        self,
        path: str,
        data: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "POST",
    ) -> bytes:
        """The bytes of a request with this body."""
        given = {"content-type": "application/json", **(headers or {})}
        if self._key is not None:
            given["authorization"] = f"Bearer {self._key}"
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        host = f"{self._place[0]}:{self._place[1]}"
        head = f"{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(data)}\r\n{lines}"
        return head.encode() + b"\r\n" + data

    def ask(self, request: bytes) -> Heard:
        """Send, and read one answer to its end.

        Raises:
            ConnectionError: the server closed before the end.
        TimeoutError: nothing came for too long.
        """
        start = time.perf_counter()
        self._socket.sendall(request)
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        status, headers = _head(data[:end])
        body = data[end + 4 :]
        if headers.get("transfer-encoding") == "chunked":
            return self._chunked(status, headers, body, start)
        size = int(headers.get("content-length", "0"))
        first = time.perf_counter() - start
        while len(body) < size:
            body += self._more()
        return Heard(status, headers, body, first, time.perf_counter() - start)

    def _chunked(self, status: int, headers: Mapping[str, str], data: bytes, start: float) -> Heard:
        first = time.perf_counter() - start if data else None
        arrived = [time.monotonic_ns()] * data.count(b"\n\n")
        parts = [data]
        while not data.endswith(b"0\r\n\r\n"):
            piece = self._more()
            now = time.monotonic_ns()
            first = first or time.perf_counter() - start
            arrived += [now] * piece.count(b"\n\n")
            parts.append(piece)
            data = (data[-8:] + piece)[-16:]
        total = time.perf_counter() - start
        return Heard(status, headers, _joined(b"".join(parts)), first or total, total, (*arrived,))

    def _more(self) -> bytes:
        piece = self._socket.recv(_RECV)
        if not piece:
            raise ConnectionError("the server closed the connection before the answer was whole")
        return piece


def saturate(
    lines: Sequence[Line], requests: Sequence[bytes], check: Callable[[Heard], bool]
) -> tuple[float, int]:
    """Every line asks its share of `requests`, one after another, all lines at once.

    Returns:
        Seconds until the last answer, and how many answers `check` refused.
    """
    wrong: list[Heard] = []

    def work(place: int) -> None:
        for request in requests[place :: len(lines)]:
            heard = lines[place].ask(request)
            if not check(heard):
                wrong.append(heard)

    workers = [threading.Thread(target=work, args=(place,)) for place in range(len(lines))]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - start, len(wrong)


def _head(data: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = data.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split(" ")[1]), {n.strip().lower(): v.strip() for n, _, v in pairs}


def _joined(data: bytes) -> bytes:
    """The body without the marks of its chunks."""
    out: list[bytes] = []
    place = 0
    while True:
        end = data.index(b"\r\n", place)
        size = int(data[place:end], 16)
        if size == 0:
            return b"".join(out)
        out.append(data[end + 2 : end + 2 + size])
        place = end + 4 + size
