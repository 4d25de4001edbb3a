"""The FastAPI application: routes put together, errors turned into OpenAI's body.

Owns which path leads where. Refuses to own what happens there.
"""

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ...adapters.errors import SkillweaveError
from .admin.routes import admin_routes
from .errors import INVALID, Row, error_body, error_reply
from .models.routes import list_models, one_model
from .relay.kinds import Kind
from .relay.relay import Relay
from .service import Service
from .telemetry.routes import metrics_route
from .telemetry.watch import Watch
from .ui.routes import ui_routes

log = logging.getLogger(__name__)

RELAYED: tuple[tuple[str, str, Kind], ...] = (
    ("/v1/chat/completions", "/v1/chat/completions", "chat"),
    ("/v1/completions", "/v1/completions", "completion"),
    ("/v1/responses", "/v1/responses", "response"),
    ("/tokenize", "/tokenize", "tokenize"),
    ("/v1/tokenize", "/tokenize", "tokenize"),
)
"""Our path, the engine's, and what its requests look like."""
NOT_WELL = "something is missing; `skillweave status` on the server's machine says what"
"""What others than this machine are told on /ready: a reason may name folders and engines."""


def create_app(service: Service) -> FastAPI:
    """The application around one service. Documentation pages are off: they load from elsewhere."""
    app = FastAPI(title="skillweave", docs_url=None, redoc_url=None, redirect_slashes=False)
    relays: dict[str, ASGIApp] = {}
    for path, upstream, kind in RELAYED:
        relay = relays[path] = Relay(service, path=upstream, kind=kind)
        app.router.routes.append(Route(path, relay, methods=["POST"], include_in_schema=False))

    @app.get("/v1/models")
    async def models(request: Request) -> dict[str, object]:
        return await list_models(service, service.door.enter(request.scope))

    @app.get("/v1/models/{name:path}")
    async def model(name: str, request: Request) -> dict[str, object]:
        return await one_model(service, service.door.enter(request.scope), name)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/ready")
    async def ready(request: Request) -> Response:
        draining = service.state.draining
        problem = "the server is about to end" if draining else service.problem
        if problem and not draining and not service.door.is_here(request.scope):
            problem = NOT_WELL
        yes = service.ready and not draining
        return JSONResponse({"ready": yes, "problem": problem}, status_code=200 if yes else 503)

    app.include_router(admin_routes(service))
    app.include_router(metrics_route(service))
    app.include_router(ui_routes(service))
    _add_error_handlers(app)
    # Around everything, the handler of unexpected errors too; so it comes last.
    inner = _Shortcut(app.build_middleware_stack(), relays)
    app.middleware_stack = Watch(inner, service.telemetry)
    return app


class _Shortcut:
    """Straight to a relay, which turns its own failures into answers; everything else inwards."""

    def __init__(self, inner: ASGIApp, relays: Mapping[str, ASGIApp]) -> None:
        self._inner = inner
        self._relays = relays

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        post = scope["type"] == "http" and scope["method"] == "POST"
        relay = self._relays.get(scope["path"]) if post else None
        await (relay or self._inner)(scope, receive, send)


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(SkillweaveError)
    async def ours(request: Request, err: SkillweaveError) -> Response:
        status, body = error_reply(err)
        return Response(body, status_code=status, media_type="application/json")

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, err: RequestValidationError) -> Response:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        row = Row(400, INVALID)
        body = error_body(f"{where or 'body'}: {first['msg']}", row=row, param=where or None)
        return Response(body, status_code=400, media_type="application/json")

    @app.exception_handler(HTTPException)
    async def plain(request: Request, err: HTTPException) -> Response:
        row = Row(err.status_code, INVALID)
        body = error_body(f"{request.method} {request.scope['path']}: {err.detail}", row=row)
        kind = "application/json"
        return Response(body, err.status_code, headers=err.headers, media_type=kind)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, err: Exception) -> Response:
        log.exception("unexpected error on %s", request.scope["path"], exc_info=err)
        status, body = error_reply(err)
        return Response(body, status_code=status, media_type="application/json")
