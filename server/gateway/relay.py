"""The hot path: a request goes to an engine, and the engine's bytes go back.

Plain ASGI callables; nothing is parsed but the request, once. Answers pass through as they come,
with the public model name restored and our headers added; when the client leaves, the engine's
work is cancelled.
Owns the exchange with the engine. Refuses to own what answers (`resolve.py`) and what is loaded
(`residency.py`). Prompts and answers are neither logged nor kept.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from starlette.types import Receive, Scope, Send

from ...adapters.errors import SkillweaveError
from ..engines.client import LOST, EngineClient
from .body import Fields, Kind, parse_body, rewrite
from .errors import NotReady
from .names import ModelName
from .resolve import Target
from .service import Service
from .wire import ClientGone, Reply, header, read_body, while_connected

_EXPECTED = (SkillweaveError,)
log = logging.getLogger(__name__)
ATTEMPTS = 2
"""A second attempt only where an engine has lost an adapter, before anything was answered."""


class Relay:
    """One relay route.

    Args:
        path: route of the engine that answers it.
        kind: what its requests look like.
    """

    def __init__(self, service: Service, *, path: str, kind: Kind) -> None:
        self._service = service
        self._path = path
        self._kind: Kind = kind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = Reply(send)
        try:
            fields = parse_body(await read_body(scope, receive), kind=self._kind)
            session = header(scope, b"x-skillweave-session")
            await while_connected(receive, self._serve(fields, session, reply))
        except ClientGone:
            return
        except Exception as err:  # the HTTP boundary: a failure becomes an answer
            if not isinstance(err, _EXPECTED):
                log.exception("unexpected error on %s", self._path)
            await reply.fail(err)

    async def _serve(self, fields: Fields, session: str | None, reply: Reply) -> None:
        target = await self._service.resolver.resolve(fields, session=session)
        try:
            if target.adapter is None:
                await self._exchange(self._service.base_name, fields, target, reply)
                return
            async with self._service.residency.hold(target.adapter) as name:
                await self._exchange(name, fields, target, reply)
        except _EXPECTED as err:
            await reply.fail(err, target.headers)

    async def _exchange(self, name: str, fields: Fields, target: Target, reply: Reply) -> None:
        body = rewrite(
            fields, model=name, skill=target.skill, template_arguments=target.template_arguments
        )
        for attempt in range(1, ATTEMPTS + 1):
            async with self._ask(body) as upstream:
                if upstream.status == 404 and target.adapter is not None and attempt < ATTEMPTS:
                    self._service.residency.lost(name)
                else:
                    unique = target.adapter is not None
                    names = ModelName(name, public=target.public, unique=unique)
                    await _pass_on(upstream, names, target, reply)
                    return
            await self._service.residency.ensure(target.adapter)

    @asynccontextmanager
    async def _ask(self, body: bytes) -> AsyncIterator[aiohttp.ClientResponse]:
        client = self._service.pool.pick()
        client.in_flight += 1
        try:
            async with client.post(self._path, body) as upstream:
                yield upstream
        except LOST as err:
            raise _lost(client) from err
        finally:
            client.in_flight -= 1


async def _pass_on(
    upstream: aiohttp.ClientResponse, names: ModelName, target: Target, reply: Reply
) -> None:
    kind = upstream.headers.get("content-type", "application/json")
    headers = [(b"content-type", kind.encode("latin-1")), *target.headers]
    if not kind.startswith("text/event-stream"):
        body = await upstream.read()
        ok = upstream.status < 400
        body = names.feed(body) + names.end() if ok else names.everywhere(body)
        await reply.whole(upstream.status, body, headers)
        return
    await reply.start(upstream.status, headers, streaming=True)
    async for chunk in upstream.content.iter_any():
        data = names.feed(chunk)
        if data:
            await reply.chunk(data)
    await reply.chunk(names.end(), last=True)


def _lost(client: EngineClient) -> NotReady:
    return NotReady(
        f"the engine at {client.url} ended while answering; it is started again, ask again in a "
        "moment"
    )
