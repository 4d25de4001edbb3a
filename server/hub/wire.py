"""Requests as the routes see them: parts of the address, bounded bodies, who asks.

Addresses are matched before they are decoded, so that a revision `a%2Fb` stays one part of a path;
each part is then decoded once. Owns that, the headers that every answer carries, and the JSON
forms of refusals.
"""

import json
import logging
from collections.abc import Callable
from typing import Annotated
from urllib.parse import unquote, urlencode

import anyio.to_thread
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...adapters.errors import SkillweaveError
from .access import Caller, caller_of
from .errors import Refusal, entry_not_found
from .hub import Hub
from .names import check_text
from .repo import Repo

log = logging.getLogger(__name__)

_FEED_BYTES = 1 << 20

# Whatever is stored here, a browser that is pointed at it only saves it.
SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"private, no-cache"),
)


class Outer:
    """ASGI around the application: undecoded paths in, safe headers out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        scope = {**scope, "path": raw.split(b"?")[0].decode("ascii", "replace")}

        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *SAFE_HEADERS]}
            await send(message)

        await self._app(scope, receive, safe)


def hub_of(request: Request) -> Hub:
    """The hub behind the application."""
    hub: Hub = request.app.state.hub
    return hub


def caller(request: Request) -> Caller:
    """Who asks; an invalid token is refused even where none would be needed."""
    return caller_of(request.headers.get("authorization"), hub_of(request).tokens)


def part(request: Request, name: str) -> str:
    """One decoded part of the address.

    Raises:
        Refusal: 404; it is no UTF-8.
    """
    try:
        return unquote(str(request.path_params[name]), errors="strict")
    except UnicodeDecodeError as err:
        raise entry_not_found(str(request.path_params[name])) from err


def repo_id(request: Request) -> str:
    """`namespace/name` of the address."""
    return f"{part(request, 'namespace')}/{part(request, 'name')}"


HubOf = Annotated[Hub, Depends(hub_of)]
CallerOf = Annotated[Caller, Depends(caller)]
RepoId = Annotated[str, Depends(repo_id)]


def writable(hub: HubOf, caller: CallerOf, repo_id: RepoId) -> Repo:
    """The repository of the address, if the caller may change it; for requests without a body.

    Raises:
        Refusal: 404 or 401 where it is not seen, 403 where it may not be changed.
    """
    return hub.writable(repo_id, caller)


WritableRepo = Annotated[Repo, Depends(writable)]


async def body_bytes(request: Request, limit: int) -> bytes:
    """The whole body.

    Raises:
        Refusal: 413; it is larger than `limit`.
    """
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > limit:
            raise Refusal(413, f"the body of this request may have at most {limit} bytes")
    return bytes(found)


async def json_body(request: Request) -> dict[str, object]:
    """The body as a JSON object.

    Raises:
        Refusal: 413 too large, 400 anything else.
    """
    return json_object(await body_bytes(request, hub_of(request).options.limits.json_bytes))


def json_object(raw: bytes) -> dict[str, object]:
    """Bytes as a JSON object.

    Raises:
        Refusal: 400.
    """
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as err:
        raise Refusal(400, f"the body is no JSON: {err}") from err
    if not isinstance(found, dict):
        raise Refusal(400, "the body: expected a JSON object")
    return found


JsonBody = Annotated[dict[str, object], Depends(json_body)]


def text_of(body: dict[str, object], key: str, *, default: str | None = None) -> str:
    """A text of a JSON body.

    Raises:
        Refusal: 400; missing, or no text.
    """
    found = body.get(key)
    return default if found is None and default is not None else check_text(found, key)


def base_url(request: Request) -> str:
    """How the client reaches this hub.

    Raises:
        Refusal: 400; the `Host` of the request is none.
    """
    stated = hub_of(request).options.url
    try:
        return (stated or str(request.base_url)).rstrip("/")
    except ValueError as err:
        raise Refusal(400, "the Host of this request cannot be read") from err


def next_link(request: Request, **query: str) -> dict[str, str]:
    """The header that leads to the next page: this request with other query parameters."""
    kept = [pair for pair in request.query_params.multi_items() if pair[0] not in query]
    url = f"{base_url(request)}{request.scope['path']}?{urlencode([*kept, *query.items()])}"
    return {"Link": f'<{url}>; rel="next"'}


async def feed_from(request: Request, feed: Callable[[bytes], object]) -> None:
    """Hand the body on as it comes, in a worker thread: what is fed may wait for the disk."""
    waiting = bytearray()
    async for chunk in request.stream():
        waiting += chunk
        if len(waiting) >= _FEED_BYTES:
            await anyio.to_thread.run_sync(feed, bytes(waiting))
            waiting.clear()
    await anyio.to_thread.run_sync(feed, bytes(waiting))


def add_error_handlers(app: FastAPI) -> None:
    """Refusals, the framework's own errors, and everything unforeseen, as JSON."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, err: Refusal) -> Response:
        return JSONResponse(err.body(), status_code=err.status, headers=err.headers())

    @app.exception_handler(HTTPException)
    async def plain(request: Request, err: HTTPException) -> Response:
        text = f"{request.method} {request.scope['path']}: this hub does not offer that"
        return JSONResponse({"error": text}, status_code=err.status_code, headers=err.headers)

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, err: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody hears it; what was received is removed

    @app.exception_handler(SkillweaveError)
    async def ours(request: Request, err: SkillweaveError) -> Response:
        log.error("on %s: %s", request.scope["path"], err)
        return JSONResponse({"error": "the hub's own files are damaged"}, status_code=500)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, err: Exception) -> Response:
        log.exception("unexpected error on %s", request.scope["path"], exc_info=err)
        return JSONResponse({"error": "internal error of the hub"}, status_code=500)
