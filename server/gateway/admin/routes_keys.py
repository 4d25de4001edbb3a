"""The admin routes of the keys: list, make, rotate, revoke.

A token is in one reply, once, and in no log. Owns their bodies. Refuses to own the keys
(`access/key_file.py`).
"""

import asyncio
from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter, Response

from ....adapters.errors import NotFound
from ..access.key_file import KeyFile, NewKey
from ..access.keys import Wish
from ..service import Service
from .wire import Strict


class WhichKey(Strict):
    """A key by its id or name."""

    name: str


class RotateRequest(Strict):
    """A new token for a key; the old one is accepted for `grace_hours` more."""

    name: str
    grace_hours: float = 0.0


def add_key_routes(router: APIRouter, service: Service) -> None:
    """GET and POST /keys, POST /keys/rotate and /keys/revoke."""

    @router.get("/keys")
    async def keys() -> list[dict[str, object]]:
        found = await asyncio.to_thread(_file(service).all)
        return [key.public(datetime.now(UTC)) for key in found]

    @router.post("/keys")
    async def create(body: Wish, reply: Response) -> dict[str, object]:
        return _shown_once(await asyncio.to_thread(_file(service).create, body), reply)

    @router.post("/keys/rotate")
    async def rotate(body: RotateRequest, reply: Response) -> dict[str, object]:
        turn = partial(_file(service).rotate, body.name, grace_hours=body.grace_hours)
        made = await asyncio.to_thread(turn)
        service.door.look_now()
        return _shown_once(made, reply)

    @router.post("/keys/revoke")
    async def revoke(body: WhichKey) -> dict[str, object]:
        ended = await asyncio.to_thread(_file(service).revoke, body.name)
        service.door.look_now()
        return ended.public(datetime.now(UTC))


def _file(service: Service) -> KeyFile:
    path = service.state.access.keys
    if path is None:
        raise NotFound("this server has no place for keys; start it with --store or --keys FILE")
    return KeyFile(path)


def _shown_once(made: NewKey, reply: Response) -> dict[str, object]:
    reply.headers["cache-control"] = "no-store"
    return {"token": made.token, **made.key.public(datetime.now(UTC))}
