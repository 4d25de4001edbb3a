"""One request from arrival to end, as metrics and logs see it.

Owns the facts of a request. Refuses to own prompts and answers: they are never handed in.
"""

import time
from dataclasses import dataclass, field
from uuid import uuid4


@dataclass
class Span:
    """Filled in while a request is served; told once, when it has ended.

    Times are of the monotonic clock, in seconds.
    """

    path: str
    request_id: str = field(default_factory=lambda: uuid4().hex)
    began: float = field(default_factory=time.monotonic)
    key_id: str = ""
    adapter: str = ""
    version: str = ""
    form: str = ""
    route: str = ""
    engine: str = ""
    sent: float | None = None
    """When the request left for an engine."""
    first_byte: float | None = None
    """When the first byte of the answer went out."""
    status: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    outcome: str = "ok"
    """`ok`, `gone` (the client left) or the name of an error class."""

    def sending(self, engine: str) -> None:
        """The request leaves for an engine."""
        self.engine, self.sent = engine, time.monotonic()

    def answering(self, status: int) -> None:
        """The answer begins."""
        self.status, self.first_byte = status, time.monotonic()


class Telemetry:
    """Takes what has happened."""

    def begin(self, path: str) -> Span:
        """A request has arrived."""
        return Span(path)

    def end(self, span: Span) -> None:
        """A request has ended, one way or the other."""
