"""A small OpenAI-compatible server on loopback whose behaviour is a script.

Owns the wire: JSON replies, streams, errors with headers, hanging up. What is answered, and when
something goes wrong, is the script's: a function of the request. Every request is recorded.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

Body = Mapping[str, object]
NOW = {"retry-after-ms": "1"}
"""Sent with errors, so that the official client tries again at once."""


@dataclass(frozen=True)
class Answer:
    """One answer; streamed word by word where the request says so."""

    text: str
    headers: Mapping[str, str] = field(default_factory=dict)
    logprobs: list[object] | None = None
    """`prompt_logprobs` of a completion, as vLLM sends them."""


@dataclass(frozen=True)
class Raw:
    """Any reply at all: a status, headers and bytes."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


@dataclass(frozen=True)
class HangUp:
    """The connection ends without a reply, or in the middle of a stream."""

    after_words: int = 0


Reply = Answer | Raw | HangUp
Script = Callable[[Body], Reply]
Admin = Callable[[str, Body], Reply]


def out_of_requests(retry_after_ms: int = 1) -> Raw:
    """A refusal that asks the client to come back."""
    body = json.dumps({"error": {"message": "slow down", "type": "rate_limit"}})
    return Raw(
        429, body, {"content-type": "application/json", "retry-after-ms": f"{retry_after_ms}"}
    )


def broken(message: str = "the teacher broke") -> Raw:
    """A server error."""
    body = json.dumps({"error": {"message": message}})
    return Raw(500, body, {"content-type": "application/json", **NOW})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # many clients connect at once


class ScriptedTeacher:
    """Serves `script` for the length of a `with` block; `url` ends in `/v1`.

    `admin` answers what is posted below `/admin/`: it is given the verb and the body.
    """

    admin_key = "key"
    start_s = 0.0

    def __init__(self, script: Script, *, admin: Admin | None = None) -> None:
        self.requests: list[Body] = []
        self.keys: set[str] = set()
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        teacher = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                """Tests read nothing from stderr."""

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                _, _, verb = self.path.partition("/admin/")
                if verb and admin is not None:
                    assert self.headers["x-skillweave-admin-key"] == teacher.admin_key
                    _send(self, body, admin(verb, body))
                    return
                with teacher._lock:
                    teacher.requests.append(body)
                    teacher.keys.add(self.headers["authorization"] or "")
                    teacher._at_once += 1
                    teacher.most_at_once = max(teacher.most_at_once, teacher._at_once)
                try:
                    _send(self, body, script(body))
                finally:
                    with teacher._lock:
                        teacher._at_once -= 1

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.root}/v1"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _send(handler: BaseHTTPRequestHandler, body: Body, reply: Reply) -> None:
    if isinstance(reply, HangUp):
        if reply.after_words:
            _start(handler, 200, {"content-type": "text/event-stream"})
            for _ in range(reply.after_words):
                _event(handler, {"delta": {"content": "word "}, "index": 0})
        handler.close_connection = True
    elif isinstance(reply, Raw):
        _whole(handler, reply.status, reply.headers, reply.body)
    elif body.get("stream"):
        _stream(handler, body, reply)
    else:
        headers = {"content-type": "application/json", **reply.headers}
        _whole(handler, 200, headers, json.dumps(_completion(handler.path, body, reply)))


def _completion(path: str, body: Body, reply: Answer) -> Body:
    choice: dict[str, object] = {"index": 0, "finish_reason": "stop"}
    if path.endswith("/chat/completions"):
        choice["message"] = {"role": "assistant", "content": reply.text}
    else:
        choice |= {"text": reply.text, "prompt_logprobs": reply.logprobs}
    return {"id": "1", "object": "x", "created": 1, "model": body["model"],
            "choices": [choice], "usage": usage(body, reply.text)}  # fmt: skip


def usage(body: Body, text: str) -> dict[str, int]:
    """Words stand for tokens."""
    prompt = len(json.dumps(body.get("messages", body.get("prompt"))).split())
    answer = len(text.split())
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}


def _stream(handler: BaseHTTPRequestHandler, body: Body, reply: Answer) -> None:
    _start(handler, 200, {"content-type": "text/event-stream", **reply.headers})
    _event(handler, {"delta": {"role": "assistant"}, "index": 0})
    for word in reply.text.split(" "):
        time.sleep(0.001)
        _event(handler, {"delta": {"content": f"{word} "}, "index": 0})
    _event(handler, None, usage=usage(body, reply.text))
    _chunk(handler, b"data: [DONE]\n\n")
    _chunk(handler, b"")


def _start(handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str]) -> None:
    handler.send_response(status)
    for name, value in {**headers, "transfer-encoding": "chunked"}.items():
        handler.send_header(name, value)
    handler.end_headers()


def _event(
    handler: BaseHTTPRequestHandler, choice: Body | None, *, usage: Body | None = None
) -> None:
    choices = [] if choice is None else [choice]
    data = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": choices, "usage": usage}  # fmt: skip
    _chunk(handler, f"data: {json.dumps(data)}\n\n".encode())


def _chunk(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
    handler.wfile.flush()


def _whole(
    handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], body: str
) -> None:
    raw = body.encode()
    handler.send_response(status)
    for name, value in {**headers, "content-length": str(len(raw))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(raw)
