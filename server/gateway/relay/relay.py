"""The hot path: a request goes to an engine, and the engine's bytes go back.

Plain ASGI callables; nothing is parsed but the request, once. Answers pass through as they come,
with the public model name restored and our headers added; when the client leaves, or its time is
over, the engine's work is cancelled.
Owns the order of the steps. Refuses to own each step: who asks (`access/`), what answers
(`models/`), what is loaded (`residency/`), which engine and when (`admission/`), the bytes
(`exchange.py`), what is told about it (`telemetry/`). Prompts and answers are neither logged nor
kept.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from starlette.types import Receive, Scope, Send

from ....adapters.errors import SkillweaveError
from ...engines.client import LOST, EngineClient
from ..access.caller import ANYBODY
from ..admission.admission import Ticket, Wanted
from ..errors import NotReady
from ..models.target import Target
from ..service import Service
from ..telemetry.span import Span
from .asked import Asked, read_wishes, tokens_of_answers, tokens_of_prompt
from .body import parse_body, rewrite
from .exchange import Meter, pass_on
from .kinds import Kind
from .names import ModelName
from .usage_wire import usage_control
from .wire import Attended, ClientGone, Reply, read_body

_EXPECTED = (SkillweaveError,)
log = logging.getLogger(__name__)
ATTEMPTS = 2
"""A second attempt only where nothing was answered: an engine was lost, or lost an adapter."""


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
            wishes = read_wishes(scope["headers"])
            raw = await read_body(scope, receive, max_bytes=service.door.limits.body_bytes)
            fields = parse_body(raw, kind=self._kind)
            service.door.check(caller, fields)
            asked = Asked(fields, self._kind, caller, wishes)
            async with Attended(receive, reply, timeout_s=wishes.timeout_s):
                await self._serve(asked, reply, span)
        except ClientGone:
            span.outcome = "gone"
        except Exception as err:  # the HTTP boundary: a failure becomes an answer
            if not isinstance(err, _EXPECTED):
                log.exception("unexpected error on %s", self._path)
            await reply.fail(err)
        finally:
            service.telemetry.end(span)

    async def _serve(self, asked: Asked, reply: Reply, span: Span) -> None:
        service = self._service
        target = await service.resolver.resolve(
            asked.fields, session=asked.wishes.session, caller=asked.caller
        )
        target.describe(span)
        meter = Meter(asked)
        try:
            if target.adapter is None:
                await self._exchange(asked, service.base_name, target, reply, meter)
                return
            async with service.residency.hold(target.adapter) as name:
                await self._exchange(asked, name, target, reply, meter)
        except _EXPECTED as err:
            await reply.fail(err, target.headers)
        finally:
            self._charge(asked, target, meter, span)

    async def _exchange(
        self, asked: Asked, name: str, target: Target, reply: Reply, meter: Meter
    ) -> None:
        failed: tuple[EngineClient, ...] = ()
        for attempt in range(1, ATTEMPTS + 1):
            again = attempt < ATTEMPTS
            asking: EngineClient | None = None
            try:
                async with self._service.admission.enter(_wanted(asked, target, failed)) as ticket:
                    asking = ticket.engine
                    body = self._body(asked, name, target, ticket)
                    meter.sent = True
                    async with self._ask(asking, body, reply.span) as upstream:
                        meter.sent = upstream.status < 400
                        if upstream.status != 404 or target.adapter is None or not again:
                            names = self._names(name, target)
                            await pass_on(upstream, names, target.headers, reply, meter)
                            return
            except NotReady:
                meter.sent = reply.begun
                if asking is None or not again or reply.begun:
                    raise
                failed = (*failed, asking)
                continue
            # The engine has forgotten the adapter: what it holds is lost when it starts again.
            failed = (*failed, asking)
            self._service.residency.lost(name)
            assert target.adapter is not None
            await self._service.residency.ensure(target.adapter)

    @asynccontextmanager
    async def _ask(
        self, engine: EngineClient, body: bytes, span: Span
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        span.sending(engine.url)
        try:
            async with engine.post(self._path, body, request_id=span.engine_id) as upstream:
                yield upstream
        except LOST as err:
            raise NotReady(
                "the engine ended while answering; it is started again, ask again in a moment"
            ) from err

    def _names(self, name: str, target: Target) -> ModelName:
        unique, echoes = target.adapter is not None, self._kind == "response"
        return ModelName(name, public=target.public, unique=unique, echoes=echoes)

    def _body(self, asked: Asked, name: str, target: Target, ticket: Ticket) -> bytes:
        control: dict[str, object] = {}
        if self._kind != "tokenize":
            control |= self._service.door.bounds(asked.caller, asked.fields, kind=self._kind)
            control |= usage_control(asked.fields, self._kind)
            if ticket.priority is not None:
                control["priority"] = ticket.priority
            if asked.caller is not ANYBODY:
                control["cache_salt"] = asked.caller.tenant
        if self._kind == "response":
            control["store"] = False  # this server keeps no answers
        return rewrite(
            asked.fields,
            model=name,
            skill=target.skill,
            template_arguments=target.template_arguments,
            control=control,
        )

    def _charge(self, asked: Asked, target: Target, meter: Meter, span: Span) -> None:
        """Once for every request that an engine took, whichever way it ended."""
        tokens = meter.tokens
        if tokens is None:
            return
        span.prompt_tokens, span.completion_tokens = tokens.prompt, tokens.completion
        self._service.door.charge(
            asked.caller, target.billed, prompt=tokens.prompt, completion=tokens.completion
        )


def _wanted(asked: Asked, target: Target, failed: tuple[EngineClient, ...]) -> Wanted:
    return Wanted(
        adapter=target.adapter.name if target.adapter and asked.kind != "tokenize" else None,
        tenant=asked.caller.tenant,
        cost=tokens_of_prompt(asked.fields) + tokens_of_answers(asked.fields),
        session=asked.wishes.session,
        timeout_s=asked.wishes.timeout_s,
        avoid=failed,
    )
