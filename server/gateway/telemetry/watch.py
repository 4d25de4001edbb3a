"""Around the whole application: every request gets an id, every reply tells it, all are counted.

Owns the id on its way in and out. Refuses to own what relay routes tell about themselves: those
fill in a `Span` of their own, because only they know what answered.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .request_id import new_request_id, sound
from .span import Span
from .telemetry import REQUEST_ID, SPAN, Telemetry

HEADER = b"x-request-id"
UNMATCHED = "unmatched"
"""The route of requests that meet none: what they wrote is no label."""


class Watch:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = sound(_given(scope)) or new_request_id()
        scope[REQUEST_ID] = request_id
        span = Span(UNMATCHED, request_id)

        async def outwards(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.status = message["status"]
                headers = message.setdefault("headers", [])
                if not any(key == HEADER for key, _ in headers):
                    message["headers"] = [*headers, (HEADER, request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, outwards)
        finally:
            if SPAN not in scope:
                span.path = route_of(scope)
                span.outcome = "ok" if 0 < span.status < 400 else f"http_{span.status}"
                self._telemetry.other(span, method=scope["method"])


def route_of(scope: Scope) -> str:
    """The path of the route that was met, with its parameters unfilled."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else UNMATCHED


def _given(scope: Scope) -> str | None:
    for key, value in scope["headers"]:
        if key == HEADER:
            return bytes(value).decode("latin-1")
    return None
