"""The admin route that takes an engine out of service, and brings it back.

Owns its body and reply. Refuses to own what draining means (`gateway/pool.py`).
"""

from fastapi import APIRouter
from pydantic import Field

from ..service import Service
from .wire import Strict


class DrainRequest(Strict):
    """Let the engine at this address take no more requests; `draining` false takes it back."""

    engine: str = Field(min_length=1, max_length=300)
    draining: bool = True


class Drained(Strict):
    """`running` counts the answers that the engine has not ended yet; at 0 it may be stopped."""

    engine: str
    draining: bool
    running: int


def add_drain_routes(router: APIRouter, service: Service) -> None:
    """POST /drain."""

    @router.post("/drain")
    async def drain(body: DrainRequest) -> Drained:
        running = service.pool.drain(body.engine, draining=body.draining)
        return Drained(engine=body.engine, draining=body.draining, running=running)
