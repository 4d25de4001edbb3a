"""One request from arrival to end, as metrics and logs see it.

Owns the facts of a request. Refuses to own prompts and answers: they are never handed in.
"""

import os
import time
from dataclasses import dataclass, field

from .request_id import new_request_id


@dataclass
class Span:
    """Filled in while a request is served; told once, when it has ended.

    Times are of the monotonic clock, in seconds. `path` is the route, not what a client wrote.
    """

    path: str
    request_id: str = field(default_factory=new_request_id)
    began: float = field(default_factory=time.monotonic)
    key_id: str = ""
    adapter: str = ""
    version: str = ""
    form: str = ""
    route: str = ""
    engine: str = ""
    sent: float | None = None
    """When the request left for an engine."""
    streaming: bool = False
    first_byte: float | None = None
    """When the first byte of the answer's body went out."""
    ended: float | None = None
    status: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    outcome: str = "ok"
    """`ok`, `gone` (the client left) or the name of an error class."""

    @property
    def engine_id(self) -> str:
        """What an engine calls this request: begins with its id, and is like no other's."""
        return f"{self.request_id}-{os.urandom(4).hex()}"

    def sending(self, engine: str) -> None:
        """The request leaves for an engine."""
        self.engine, self.sent = engine, time.monotonic()

    def answering(self, status: int, *, streaming: bool = False) -> None:
        """The answer begins: an engine that streams says so long before its first token."""
        self.status, self.streaming = status, streaming

    def chunk(self) -> None:
        """A piece of the answer's body goes out."""
        if self.first_byte is None:
            self.first_byte = time.monotonic()

    def end(self) -> None:
        """The request has ended, one way or the other."""
        self.ended = time.monotonic()

    @property
    def duration_s(self) -> float:
        """From arrival to end."""
        return (self.ended or self.began) - self.began

    @property
    def ttft_s(self) -> float | None:
        """From arrival to the first byte of a stream; None for an answer in one piece."""
        if not self.streaming or self.first_byte is None:
            return None
        return self.first_byte - self.began

    @property
    def wait_s(self) -> float | None:
        """From arrival until the request left for an engine: judging, loading and queueing."""
        return None if self.sent is None else self.sent - self.began
