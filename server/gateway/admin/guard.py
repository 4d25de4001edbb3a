"""Who may use the admin routes, and the record of what they change.

The admin is recognised before a byte of the body is read. Every request that may change something
is written to the audit log with how it ended, whatever its route does, so that no route can forget.
Owns both, for all routes below /admin. Refuses to own the judgement (`access/door.py`) and the log
(`access/audit.py`). To have one more fact recorded: its name in `FACTS`.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from ..access.audit import Fact
from ..access.caller import Admin
from ..errors import RequestRefused
from ..service import Service

FACTS = (
    *("ref", "digest", "name", "alias", "version", "expected", "run", "step", "split", "weights"),
    *("path", "router", "engine", "version_digest", "weights_digest", "id", "drain", "base"),
)
"""Fields of requests and replies that tell what was changed; all short, none secret."""
READING = ("GET", "HEAD")
MAX_BODY_BYTES = 1 << 20
NAMES = {"keys": "key-create", "keys/rotate": "key-rotate", "keys/revoke": "key-revoke"}
"""What the log calls a route; others have the name of their path."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def admin_of(request: Request) -> Admin:
    """Who asks; the guard has let them in already."""
    admin = request.state.admin
    assert isinstance(admin, Admin)
    return admin


def guarded_route(service: Service, *, prefix: str) -> type[APIRoute]:
    """The class of routes that let in the admin alone and record what was changed.

    Args:
        prefix: what all their paths begin with; it is left out of the names in the log.
    """

    class Guarded(APIRoute):
        def get_route_handler(self) -> Handler:
            answer = super().get_route_handler()

            async def guarded(request: Request) -> Response:
                request.state.admin = service.door.enter_admin(request.scope)
                if request.method in READING:
                    return await answer(request)
                path = self.path_format.removeprefix(prefix).strip("/")
                who = admin_of(request).who
                async with service.audit.during(NAMES.get(path, path), who=who) as act:
                    try:
                        if self.body_field is not None:  # FastAPI would read it without a bound
                            await _read(request)
                        reply = await answer(request)
                        act.facts.update(facts_in(bytes(reply.body)))
                    finally:
                        act.facts.update(_asked(request, act.facts))
                return reply

            return guarded

    return Guarded


async def _read(request: Request) -> None:
    """Read a body where Starlette keeps it.

    Raises:
        RequestRefused: it is too large.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise RequestRefused(
                f"the body is larger than {MAX_BODY_BYTES} bytes, the most that is read", status=413
            )
    request._body = bytes(body)


def facts_in(document: bytes) -> dict[str, Fact]:
    """What a JSON object tells, of `FACTS`; nothing where it is none."""
    if len(document) > MAX_BODY_BYTES:
        return {}
    try:
        fields = json.loads(document)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(fields, dict):
        return {}
    return {name: _short(fields[name]) for name in FACTS if fields.get(name) is not None}


def _asked(request: Request, known: dict[str, Fact]) -> dict[str, Fact]:
    """What the request asked for, beyond what the reply told."""
    said = {k: v for k, v in request.query_params.items() if k in FACTS}
    body = facts_in(getattr(request, "_body", b""))
    return {k: v for k, v in {**said, **body}.items() if k not in known}


def _short(value: object) -> Fact:
    return value if isinstance(value, str | int | float | bool) else json.dumps(value)[:200]
