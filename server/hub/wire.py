"""Requests as the routes see them: parts of the address, bounded bodies, who asks.

Addresses are matched before they are decoded, so that a revision `a%2Fb` stays one part of a path;
each part is then decoded once. Owns that, the headers that every answer carries, and the JSON
forms of refusals.
"""

import json
import logging
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...adapters.errors import SkillweaveError
from .access import Caller, caller_of
from .errors import Refusal, entry_not_found
from .hub import Hub

log = logging.getLogger(__name__)

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
    raw = await body_bytes(request, hub_of(request).options.limits.json_bytes)
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
    if found is None and default is not None:
        return default
    if not isinstance(found, str):
        raise Refusal(400, f"{key}: expected a text")
    return found


def add_error_handlers(app: FastAPI) -> None:
    """Refusals, the framework's own errors, and everything unforeseen, as JSON."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, err: Refusal) -> Response:
        return JSONResponse(err.body(), status_code=err.status, headers=err.headers())

    @app.exception_handler(HTTPException)
    async def plain(request: Request, err: HTTPException) -> Response:
        text = f"{request.method} {request.url.path}: this hub does not offer that"
        return JSONResponse({"error": text}, status_code=err.status_code, headers=err.headers)

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, err: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody hears it; what was received is removed

    @app.exception_handler(SkillweaveError)
    async def ours(request: Request, err: SkillweaveError) -> Response:
        log.error("on %s: %s", request.url.path, err)
        return JSONResponse({"error": "the hub's own files are damaged"}, status_code=500)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, err: Exception) -> Response:
        log.exception("unexpected error on %s", request.url.path, exc_info=err)
        return JSONResponse({"error": "internal error of the hub"}, status_code=500)
