"""The admin route that changes the router.

It takes a path, which is fine from this machine: whoever holds its admin key can read it anyway.
From elsewhere only what lies beside the configured router, or in the store, may be named, so that
nobody feels his way through the files of this machine. What is read holds numbers and names, no
pickle. Owns the body and that rule. Refuses to own what a router is (`gateway/selector.py`).
"""

from pathlib import Path

from fastapi import APIRouter, Request

from ...state_file import ServerState
from ..errors import RequestRefused
from ..service import Service
from .guard import admin_of
from .wire import Strict


class RouterRequest(Strict):
    """Let the saved router in this folder answer `auto`."""

    path: Path


def add_router_routes(router: APIRouter, service: Service) -> None:
    """POST /router."""

    @router.post("/router")
    async def set_router(body: RouterRequest, request: Request) -> dict[str, str]:
        if not admin_of(request).here and not _among_ours(body.path, service.state):
            raise RequestRefused(
                f"path {str(body.path)[:200]!r} is neither beside the configured router nor in the "
                "store: from another machine no other path may be named",
                param="path",
            )
        await service.set_router(body.path)
        return {"router": str(body.path)}


def _among_ours(path: Path, state: ServerState) -> bool:
    roots = [state.router.parent if state.router is not None else None, state.store]
    found = path.resolve()
    return any(root is not None and found.is_relative_to(root.resolve()) for root in roots)
