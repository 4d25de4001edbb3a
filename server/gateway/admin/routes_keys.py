"""The admin routes of the keys: list, make, rotate, revoke.

A token is in one reply, once, and in no log. Owns their bodies. Refuses to own the keys
(`access/key_file.py`).
"""

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from ....adapters.errors import NotFound
from ..access.key_file import KeyFile, NewKey
from ..access.keys import Wish
from ..service import Service
from .guard import admin_of
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
    async def create(body: Wish, request: Request, reply: Response) -> dict[str, object]:
        who = admin_of(request).who
        async with service.audit.during("key-create", who=who, name=body.name) as act:
            made = await asyncio.to_thread(_file(service).create, body)
            act.facts["key"] = made.key.id
        return _shown_once(made, reply)

    @router.post("/keys/rotate")
    async def rotate(body: RotateRequest, request: Request, reply: Response) -> dict[str, object]:
        who, file = admin_of(request).who, _file(service)
        async with service.audit.during("key-rotate", who=who, name=body.name) as act:
            made = await asyncio.to_thread(file.rotate, body.name, grace_hours=body.grace_hours)
            act.facts["key"] = made.key.id
        return _shown_once(made, reply)

    @router.post("/keys/revoke")
    async def revoke(body: WhichKey, request: Request) -> dict[str, object]:
        who = admin_of(request).who
        async with service.audit.during("key-revoke", who=who, name=body.name) as act:
            ended = await asyncio.to_thread(_file(service).revoke, body.name)
            act.facts["key"] = ended.id
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
