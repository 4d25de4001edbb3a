"""`GET /metrics`, for Prometheus.

Names of adapters stand in it, so it is not for everybody: with a metrics key it wants
`Authorization: Bearer KEY`, without one it answers to this machine and the admin's networks only.
Owns the route and who may read it. Refuses to own the metrics.
"""

import asyncio
import secrets

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from ...engines.client import EngineResidency
from ..errors import Forbidden
from ..service import Service
from .gauges import Scrape, families

NEED_KEY = (
    "set SKILLWEAVE_METRICS_KEY where the server is started, and scrape with "
    "`Authorization: Bearer KEY`"
)
ASK_S = 2.0
"""How long a scrape waits for an engine to say what it holds."""


def metrics_route(service: Service) -> APIRouter:
    """The route."""
    router = APIRouter()

    @router.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        require_reader(request, service)
        if service.state.metrics_key is None:
            service.door.refuse_foreign_page(request.scope)
        registry = CollectorRegistry()
        truths = await held_by_engines(service)
        registry.register(Scrape(service.telemetry.registry, families(service, truths)))
        text = await asyncio.to_thread(generate_latest, registry)  # long, and nobody waits for it
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return router


async def held_by_engines(service: Service) -> dict[str, EngineResidency]:
    """What each engine says that it holds, by address; those that do not say it are left out."""
    clients = [member.client for member in service.pool.members]
    asked = (asyncio.wait_for(client.residency(), ASK_S) for client in clients)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    pairs = zip(clients, answers, strict=True)
    return {client.url: said for client, said in pairs if isinstance(said, EngineResidency)}


def require_reader(request: Request, service: Service) -> None:
    """Let in who may read metrics.

    Raises:
        Forbidden: the key is missing or wrong, or none is set and the caller is elsewhere.
        ForeignPage: none is set, and it may be a browser page of somebody else.
    """
    key = service.state.metrics_key
    if key is not None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not secrets.compare_digest(given.encode(), key.encode()):
            raise Forbidden("the metrics key is missing or wrong: send `Authorization: Bearer KEY`")
        return
    try:
        service.door.enter_page(request.scope)
    except Forbidden as err:
        raise Forbidden(
            f"metrics answer to this machine only, and through no proxy; {NEED_KEY}"
        ) from err
