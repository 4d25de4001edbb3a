"""The routes of the page: its files, and what it reads.

| route | who | what |
|---|---|---|
| GET /ui, /ui/FILE | everybody | the page; holds nothing of this server |
| GET /ui/api/status | everybody | ready or why not, and what the keys brought along open |
| GET /ui/api/skills, /ui/api/skills/NAME | whoever may ask the skill | evidence |
| GET /ui/api/resident, /ui/api/live | admin | engines, adapters, traffic |

Answers come from `/v1`, like everybody's. Owns these routes, all of which only read. Refuses to
own who may what (`viewer.py`).
"""

import asyncio
from importlib import metadata
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ..service import Service
from .assets import GUARDS, PAGE, Asset, load_assets
from .resident import Resident
from .shelf import Shelf
from .viewer import viewer_of

MAX_SEARCH_CHARS = 200


def ui_routes(service: Service) -> APIRouter:
    """The routes, below /ui."""
    router = APIRouter()
    assets = load_assets()

    async def page(request: Request) -> Response:
        return _file(request, assets[PAGE])

    async def file(request: Request) -> Response:
        asset = assets.get(request.path_params["name"])
        if asset is None:
            return Response("no such file\n", 404, dict(GUARDS), "text/plain")
        return _file(request, asset)

    _add_data(router, service)
    router.add_route("/ui", page, ["GET"], include_in_schema=False)
    router.add_route("/ui/", page, ["GET"], include_in_schema=False)
    router.add_route("/ui/{name}", file, ["GET"], include_in_schema=False)
    return router


def _add_data(router: APIRouter, service: Service) -> None:
    shelf, resident = Shelf(service), Resident(service)

    @router.get("/ui/api/status", include_in_schema=False)
    async def status(request: Request) -> Response:
        state, viewer = service.state, viewer_of(request, service)
        return _json(
            {
                "ready": service.ready,
                "problem": service.problem,
                "base": Path(state.base_label).name or service.base_name,
                "auto": service.selector is not None,
                "engines": len(state.engines),
                "max_lora_rank": state.max_lora_rank,
                "version": metadata.version("skillweave"),
                "viewer": viewer.document(),
            }
        )

    @router.get("/ui/api/skills", include_in_schema=False)
    async def skills(request: Request, search: str = "") -> Response:
        viewer, words = viewer_of(request, service), search[:MAX_SEARCH_CHARS]
        return _json(await asyncio.to_thread(shelf.rows, viewer, search=words))

    @router.get("/ui/api/skills/{name:path}", include_in_schema=False)
    async def skill(request: Request, name: str) -> Response:
        return _json(await asyncio.to_thread(shelf.one, name, viewer_of(request, service)))

    @router.get("/ui/api/resident", include_in_schema=False)
    async def residents(request: Request) -> Response:
        service.door.enter_admin(request.scope)
        return _json(await resident.document())

    @router.get("/ui/api/live", include_in_schema=False)
    async def live(request: Request) -> Response:
        service.door.enter_admin(request.scope)
        now = service.admission.gauges
        queue = {
            "held": now.held,
            "waiting": sum(now.waiting.values()),
            "waiting_adapters": now.waiting_adapters,
            "oldest_wait_s": now.oldest_wait_s,
        }
        return _json({**service.traffic.document(), "queue": queue})


def _file(request: Request, asset: Asset) -> Response:
    """The whole file, or 304 where the browser has it."""
    headers = {**GUARDS, "etag": asset.etag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == asset.etag:
        return Response(status_code=304, headers=headers)
    return Response(asset.body, headers=headers, media_type=asset.kind)


def _json(document: object) -> Response:
    return JSONResponse(document, headers={**GUARDS, "cache-control": "no-store"})
