"""What nobody should send to a server, and every answer that is allowed to it.

Bytes on a bare socket, so that nothing tidies them up on the way. Owns the cases and one judgement:
an answer below 500 with OpenAI's error document (or a plain 4xx of the HTTP server for what is no
HTTP), or a closed connection; never a 5xx, a traceback or silence. To add a case: a line in
`cases`.
"""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

SILENCE_S = 10.0
CHAT = "/v1/chat/completions"
_GOOD = b'{"model":"base","messages":[{"role":"user","content":"hi"}],"max_tokens":4}'
_MANY = 60_000


@dataclass(frozen=True)
class Case:
    """Bytes to send. `ok` says that 200 is a fair answer; `ends` that the client stops sending."""

    name: str
    data: bytes
    ok: bool = False
    ends: bool = False


def post(
    body: bytes,
    *,
    path: str = CHAT,
    kind: bytes | None = b"application/json",
    length: int | None = None,
    more: bytes = b"",
) -> bytes:
    """A request with this body; `length` may lie about it."""
    size = len(body) if length is None else length
    content = b"" if kind is None else b"content-type: %s\r\n" % kind
    head = b"POST %s HTTP/1.1\r\nhost: localhost\r\n%scontent-length: %d\r\n%s\r\n"
    return head % (path.encode(), content, size, more) + body


def cases() -> Iterator[Case]:
    """Every case, small first."""
    yield from _bodies()
    yield from _kinds()
    yield from _chunks()
    yield from _heads()


def _bodies() -> Iterator[Case]:
    bodies = {
        "empty": b"",
        "cut": _GOOD[:-1],
        "two documents": _GOOD + _GOOD,
        "no object": b"[1,2]",
        "bare number": b"1e5",
        "null": b"null",
        "byte order mark": b"\xef\xbb\xbf" + _GOOD,
        "utf-16": _GOOD.decode().encode("utf-16"),
        "invalid utf-8": _GOOD.replace(b"hi", b"\xff\xfe"),
        "half a surrogate": _GOOD.replace(b"hi", b"\\ud800"),
        "nul": _GOOD.replace(b"hi", b"\\u0000"),
        "control character": _GOOD.replace(b"hi", b"\x01"),
        "deep lists": b'{"model":"base","messages":' + b"[" * _MANY + b"]" * _MANY + b"}",
        "deep objects": b'{"model":' * _MANY + b"1" + b"}" * _MANY,
        "deep and cut": b"[" * _MANY,
        "huge number": _GOOD.replace(b"4}", b"9" * 5_000 + b"}"),
        "huge exponent": _GOOD.replace(b"4}", b"1e999}"),
        "negative": _GOOD.replace(b"4}", b"-1}"),
        "infinity": _GOOD.replace(b"4}", b"Infinity}"),
        "not a number": _GOOD.replace(b"4}", b"NaN}"),
        "duplicate model": _GOOD.replace(b"{", b'{"model":"other",', 1),
        "duplicate deep inside": _GOOD.replace(b'"role"', b'"role":"system","role"'),
        "duplicate by escape": _GOOD.replace(b"{", b'{"\\u006dodel":"other",', 1),
        "control field": _GOOD.replace(b"{", b'{"priority":-9,', 1),
        "model is a list": _GOOD.replace(b'"base"', b'["base"]'),
        "model is a path": _GOOD.replace(b'"base"', b'"../../etc/passwd"'),
        "model is long": _GOOD.replace(b'"base"', b'"' + b"a" * 100_000 + b'"'),
        "model with line ends": _GOOD.replace(b'"base"', b'"a\\r\\nx-evil: 1"'),
        "model of many terms": _GOOD.replace(b'"base"', b'"' + b"+".join([b"a"] * 5000) + b'"'),
        "messages are numbers": b'{"model":"base","messages":[1,2,3]}',
        "messages are an object": b'{"model":"base","messages":{}}',
        "content is a number": b'{"model":"base","messages":[{"role":"user","content":5}]}',
        "content is deep": b'{"model":"base","messages":[{"role":"user","content":[[[]]]}]}',
        "role is a number": b'{"model":"base","messages":[{"role":5,"content":"hi"}]}',
        "stream is a word": _GOOD.replace(b"4}", b'4,"stream":"yes"}'),
        "n is huge": _GOOD.replace(b"4}", b'4,"n":1000000}'),
        "tokens are huge": _GOOD.replace(b"4}", b"99999999999}"),
        "keys without end": b'{"model":"base",' + b'"a":1,' * 10 + b'"messages":[]}',
        "many keys": b'{"model":"base",%s,"messages":[]}'
        % b",".join(b'"k%d":1' % n for n in range(50_000)),
    }
    fair = {"byte order mark", "utf-16", "nul", "half a surrogate"}  # JSON all the same
    fair |= {"negative", "tokens are huge", "stream is a word"}  # the engine's to judge
    fair |= {"content is a number", "content is deep"}
    for name, body in bodies.items():
        yield Case(f"body: {name}", post(body), ok=name in fair)
    for path in ("/v1/completions", "/tokenize", "/v1/responses"):
        yield Case(f"{path}: empty object", post(b"{}", path=path))
        yield Case(f"{path}: cut", post(b'{"model":"base","prompt":"', path=path))
        yield Case(f"{path}: prompt is deep", post(_deep_prompt(), path=path))


def _deep_prompt() -> bytes:
    return b'{"model":"base","prompt":' + b"[" * _MANY + b"]" * _MANY + b"}"


def _kinds() -> Iterator[Case]:
    for kind in (b"text/plain", b"application/x-www-form-urlencoded", b"\xff", b";", b"a" * 2_000):
        yield Case(f"content type {kind[:20]!r}", post(_GOOD, kind=kind))
    yield Case("no content type", post(_GOOD, kind=None))
    yield Case("charset", post(_GOOD, kind=b"application/json; charset=utf-7"), ok=True)
    yield Case("gzip that is none", post(_GOOD, more=b"content-encoding: gzip\r\n"), ok=True)
    yield Case("multipart without parts", post(b"--x--", kind=b"multipart/form-data; boundary=x"))


def _chunks() -> Iterator[Case]:
    head = post(b"").partition(b"content-length")[0]
    chunked = head + b"transfer-encoding: chunked\r\n\r\n"
    whole = b"%x\r\n%s\r\n0\r\n\r\n" % (len(_GOOD), _GOOD)
    yield Case("chunked", chunked + whole, ok=True)
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in _GOOD)
    yield Case("chunked, a byte each", chunked + pieces + b"0\r\n\r\n", ok=True)
    yield Case("chunked, cut in a chunk", chunked + b"40\r\n" + _GOOD[:20], ends=True)
    yield Case("chunked, cut between chunks", chunked + b"5\r\n" + _GOOD[:5] + b"\r\n", ends=True)
    yield Case("chunk size is no number", chunked + b"xyz\r\nabc\r\n")
    yield Case("chunk size is negative", chunked + b"-5\r\nabcde\r\n")
    yield Case("chunk size is huge", chunked + b"f" * 40 + b"\r\nabc\r\n")
    both = head + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"
    yield Case("length and chunks", both + whole, ok=True)
    yield Case("two lengths", post(_GOOD, more=b"content-length: 3\r\n"), ends=True)
    yield Case("length too long", post(_GOOD, length=len(_GOOD) + 50), ends=True)
    yield Case("length is a word", post(_GOOD).replace(b"content-length: ", b"content-length: x"))
    yield Case("length is huge", post(b"", length=10**18), ends=True)
    yield Case("length is negative", post(_GOOD, length=-5))


def _heads() -> Iterator[Case]:
    get = b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n"
    yield Case("HTTP/1.0", b"GET /v1/models HTTP/1.0\r\n\r\n", ok=True)
    yield Case("HTTP/1.0 post", post(_GOOD).replace(b"HTTP/1.1", b"HTTP/1.0"), ok=True)
    yield Case("HTTP/0.9", b"GET /\r\n\r\n")
    yield Case("HTTP/9.9", b"GET / HTTP/9.9\r\nhost: localhost\r\n\r\n")
    yield Case("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200)
    yield Case("line ends alone", b"\r\n" * 1000, ends=True)
    yield Case("header of a megabyte", get + b"x: " + b"a" * 1_000_000 + b"\r\n\r\n")
    yield Case("a hundred thousand headers", get + b"x: a\r\n" * 100_000 + b"\r\n")
    yield Case("long path", b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n")
    for path in (b"../../etc/passwd", b"%2e%2e%2f%ff", b"%00"):
        yield Case(f"model {path!r}", get.replace(b"models", b"models/" + path) + b"\r\n")
    yield Case("unknown method", b"BREW /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n")
    yield Case("wrong method", b"DELETE %s HTTP/1.1\r\nhost: localhost\r\n\r\n" % CHAT.encode())
    yield Case("request id with line ends", get + b"x-request-id: a\r\n b\r\n\r\n", ok=True)
    yield Case("request id of bytes", get + b"x-request-id: \xff\xfe\r\n\r\n", ok=True)
    yield Case("key of bytes", get + b"authorization: Bearer \xff\xfe\r\n\r\n", ok=True)
    yield Case("no host", b"GET /v1/models HTTP/1.1\r\n\r\n", ok=True)
    yield Case("websocket", get + b"connection: upgrade\r\nupgrade: websocket\r\n\r\n", ok=True)
    yield Case("pipelined", post(_GOOD) * 5, ok=True)
    yield Case("pipelined garbage", post(_GOOD) + b"\x00\xff" * 50, ok=True)
    for header in (b"x-skillweave-session", b"x-skillweave-router", b"x-skillweave-timeout-s"):
        for value in (b"\xff", b"-1", b"nan", b"1e999", b"a" * 5_000):
            yield Case(f"{header!r}: {value[:10]!r}", post(_GOOD, more=_line(header, value)), True)


def _line(name: bytes, value: bytes) -> bytes:
    return b"%s: %s\r\n" % (name, value)


def over_long(size: int) -> Case:
    """A body of so many bytes that is sound JSON, but for its size."""
    body = _GOOD.replace(b"hi", b"a" * (size - len(_GOOD)))
    return Case(f"body of {size} bytes", post(body))


def fault_of(url: str, case: Case, *, silence_s: float = SILENCE_S) -> str | None:
    """Send a case to the server at `url`; what is wrong with the answer, None if nothing is."""
    parts = urlsplit(url)
    place = (parts.hostname or "127.0.0.1", parts.port or 80)
    start = time.monotonic()
    with socket.create_connection(place, timeout=silence_s) as wire:
        try:
            _send(wire, case)
            answer = _read(wire)
        except TimeoutError:
            return f"{case.name}: silence for {time.monotonic() - start:.0f} s"
        except OSError:
            return None  # it hung up
    return _judge(case, answer)


def _send(wire: socket.socket, case: Case) -> None:
    try:
        wire.sendall(case.data)
    except (BrokenPipeError, ConnectionResetError):
        return  # it has heard enough; what it said is still to be read
    if case.ends:
        wire.shutdown(socket.SHUT_WR)


def _read(wire: socket.socket) -> bytes:
    """The first answer, or nothing where the server hangs up."""
    data = b""
    while not _whole(data):
        piece = wire.recv(1 << 16)
        if not piece:
            return data
        data += piece
    return data


def _whole(data: bytes) -> bool:
    head, mark, body = data.partition(b"\r\n\r\n")
    if not mark:
        return False
    size = _size(head)
    return body.endswith(b"0\r\n\r\n") if size is None else len(body) >= size


def _size(head: bytes) -> int | None:
    """The length of the body, None where it comes in chunks."""
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return None


def _judge(case: Case, answer: bytes) -> str | None:
    if not answer:
        return None
    head, _, rest = answer.partition(b"\r\n\r\n")
    status, body = int(head.split(b" ")[1]), rest[: _size(head)]
    what = f"{case.name}: {status} {body[:200]!r}"
    if b"Traceback" in body or b'File "' in body:
        return f"{what}: a traceback"
    if status >= 500 or (status == 200 and not case.ok):
        return what
    if status != 200 and b"application/json" in head.lower() and not _says_why(body):
        return f"{what}: not OpenAI's error document"
    return None


def _says_why(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body)["error"]["message"], str)
    except (ValueError, KeyError, TypeError):
        return False
