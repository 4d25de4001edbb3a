"""The hot path: a request goes to an engine, and the engine's bytes go back.

Plain ASGI callables; nothing is parsed but the request, once. Answers pass through as they come,
with the public model name restored and our headers added; when the client leaves, the engine's
work is cancelled.
Owns the exchange with the engine and the order of the steps before it. Refuses to own each step:
who asks (`access/`), what answers (`resolve.py`), what is loaded (`residency.py`), which engine and
when (`admission/`), what is told about it (`telemetry/`). Prompts and answers are neither logged
nor kept.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from starlette.types import Receive, Scope, Send

from ...adapters.errors import SkillweaveError
from ..engines.client import LOST, EngineClient
from .access.caller import Caller
from .admission.admission import Ticket, Wanted
from .body import Fields, Kind, parse_body, rewrite
from .errors import NotReady
from .names import ModelName
from .resolve import Target
from .service import Service
from .telemetry.span import Span
from .wire import ClientGone, Reply, header, read_body, while_connected

_EXPECTED = (SkillweaveError,)
log = logging.getLogger(__name__)
ATTEMPTS = 2
"""A second attempt only where nothing was answered: an engine was lost, or lost an adapter."""


@dataclass(frozen=True)
class Asked:
    """One request, read and judged."""

    fields: Fields
    caller: Caller
    session: str | None
    span: Span


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
        service = self._service
        span = service.telemetry.begin(self._path, scope)
        reply = Reply(send, span)
        try:
            caller = service.door.enter(scope)
            span.key_id = caller.key_id
            fields = parse_body(await read_body(scope, receive), kind=self._kind)
            service.door.check(caller, fields)
            asked = Asked(fields, caller, header(scope, b"x-skillweave-session"), span)
            await while_connected(receive, self._serve(asked, reply))
        except ClientGone:
            span.outcome = "gone"
        except Exception as err:  # the HTTP boundary: a failure becomes an answer
            if not isinstance(err, _EXPECTED):
                log.exception("unexpected error on %s", self._path)
            await reply.fail(err)
        finally:
            service.telemetry.end(span)

    async def _serve(self, asked: Asked, reply: Reply) -> None:
        target = await self._service.resolver.resolve(
            asked.fields, session=asked.session, caller=asked.caller
        )
        target.describe(asked.span)
        try:
            if target.adapter is None:
                await self._exchange(asked, self._service.base_name, target, reply)
                return
            async with self._service.residency.hold(target.adapter) as name:
                await self._exchange(asked, name, target, reply)
        except _EXPECTED as err:
            await reply.fail(err, target.headers)

    async def _exchange(self, asked: Asked, name: str, target: Target, reply: Reply) -> None:
        failed: tuple[EngineClient, ...] = ()
        for attempt in range(1, ATTEMPTS + 1):
            again = attempt < ATTEMPTS
            async with self._service.admission.enter(_wanted(asked, target, failed)) as ticket:
                body = _body(asked, name, target, ticket)
                try:
                    async with self._ask(ticket, body, asked.span) as upstream:
                        forgotten = upstream.status == 404 and target.adapter is not None
                        if not (forgotten and again):
                            unique = target.adapter is not None
                            names = ModelName(name, public=target.public, unique=unique)
                            await _pass_on(upstream, names, target, reply)
                            return
                except NotReady:
                    if not again or reply.begun:
                        raise
                    failed = (*failed, ticket.engine)
            if target.adapter is not None:
                self._service.residency.lost(name)
                await self._service.residency.ensure(target.adapter)

    @asynccontextmanager
    async def _ask(
        self, ticket: Ticket, body: bytes, span: Span
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        span.sending(ticket.engine.url)
        try:
            async with ticket.engine.post(self._path, body) as upstream:
                yield upstream
        except LOST as err:
            raise _lost(ticket.engine) from err


def _wanted(asked: Asked, target: Target, failed: tuple[EngineClient, ...]) -> Wanted:
    return Wanted(
        adapter=target.adapter.name if target.adapter is not None else None,
        tenant=asked.caller.tenant,
        cost=0,
        session=asked.session,
        avoid=failed,
    )


def _body(asked: Asked, name: str, target: Target, ticket: Ticket) -> bytes:
    control = {} if ticket.priority is None else {"priority": ticket.priority}
    return rewrite(
        asked.fields,
        model=name,
        skill=target.skill,
        template_arguments=target.template_arguments,
        control=control,
    )


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
