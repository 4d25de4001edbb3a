"""Where requests report to: metrics are counted, a line is written.

Owns both and the number of requests in flight. Refuses to own what is measured (`metrics.py`,
`gauges.py`) and what is written (`access_log.py`).
"""

from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector
from starlette.types import Scope

from .access_log import MAX_LOG_BYTES, AccessLog
from .metrics import MAX_ADAPTERS, Metrics
from .span import Span

REQUEST_ID = "skillweave.request_id"
SPAN = "skillweave.span"
"""Keys of the ASGI scope: the id of a request, and the facts of one that tells them itself."""

PROBES = frozenset(
    {"/health", "/ready", "/metrics", "/ui/api/status", "/ui/api/resident", "/ui/api/live"}
)
"""Asked every few seconds by machines: counted, but not logged."""


class Telemetry:
    """Takes what has happened. `listeners` hear of every relayed request that has ended.

    Args:
        access_log: where lines go: a file, an open descriptor, or None for nowhere.
        log_bytes: size at which a file is put aside.
        max_adapters: adapters with metrics of their own.
    """

    def __init__(
        self,
        *,
        access_log: Path | int | None = None,
        log_bytes: int = MAX_LOG_BYTES,
        max_adapters: int = MAX_ADAPTERS,
    ) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry, max_adapters=max_adapters)
        ProcessCollector(registry=self.registry)
        self.in_flight = 0
        self.listeners: list[Callable[[Span], None]] = []
        self._log = (
            None
            if access_log is None
            else AccessLog(access_log, dropped=self.metrics.lines_dropped.inc, max_bytes=log_bytes)
        )

    def begin(self, path: str, scope: Scope | None = None) -> Span:
        """A request on a relay route has arrived; `end` must follow."""
        self.in_flight += 1
        request_id = None if scope is None else scope.get(REQUEST_ID)
        span = Span(path) if request_id is None else Span(path, request_id)
        if scope is not None:
            scope[SPAN] = span
        return span

    def end(self, span: Span) -> None:
        """A relayed request has ended, one way or the other."""
        self.in_flight -= 1
        span.end()
        self.metrics.told(span)
        for listener in self.listeners:
            listener(span)
        if self._log is not None:
            self._log.write(span)

    def other(self, span: Span, *, method: str) -> None:
        """A request on any other route has ended."""
        span.end()
        self.metrics.counted(span)
        if method == "POST" and span.path.startswith("/admin/"):
            kind = span.path.removeprefix("/admin/")
            self.metrics.published.labels(kind, _outcome(span.status)).inc()
        if self._log is not None and span.path not in PROBES:
            self._log.write(span)

    def close(self) -> None:
        """Write what is still to be written."""
        if self._log is not None:
            self._log.close()


def _outcome(status: int) -> str:
    if status < 400:
        return "ok"
    return "refused" if status < 500 else "failed"
