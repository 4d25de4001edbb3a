"""The admin route that changes the router.

Owns its body. Refuses to own what a router is (`gateway/selector.py`).
"""

from pathlib import Path

from fastapi import APIRouter

from ..service import Service
from .wire import Strict


class RouterRequest(Strict):
    """Let the saved router in this folder answer `auto`."""

    path: Path


def add_router_routes(router: APIRouter, service: Service) -> None:
    """POST /router."""

    @router.post("/router")
    async def set_router(body: RouterRequest) -> dict[str, str]:
        await service.set_router(body.path)
        return {"router": str(body.path)}
