"""What is resident where: engines beside adapters, from what each engine itself says.

An engine with our plugin tells which adapters are in batch slots, in host memory and pinned; one
without tells nothing, and then only what the gateway has declared to it is known. Asked at most
once in `FRESH_S`, however many pages are open. Owns the document. Refuses to own residency.
"""

import asyncio
import time
from dataclasses import asdict

from ....adapters.errors import EngineError
from ...engines.client import EngineClient
from ..admission.figures import EngineGauges
from ..service import Service

FRESH_S = 1.0
Json = dict[str, object]


class Resident:
    """Answers what the page asks about engines."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._asking = asyncio.Lock()
        self._told: tuple[float, Json] = (0.0, {})

    async def document(self) -> Json:
        """{"engines": [...], "adapters": [...]}; engines in the order of the state file."""
        async with self._asking:
            expires, told = self._told
            if time.monotonic() < expires:
                return told
            told = {"engines": await self._engines(), "adapters": self._adapters()}
            self._told = (time.monotonic() + FRESH_S, told)
            return told

    async def _engines(self) -> list[Json]:
        state = self._service.state
        clients = {client.url: client for client in self._service.pool.ready}
        standing = {each.url: each for each in self._service.admission.gauges.engines}
        held = await asyncio.gather(*(_held(clients.get(engine.url)) for engine in state.engines))
        return [
            {
                "index": index,
                "url": engine.url,
                "pid": engine.pid,
                "ready": engine.url in clients and engine.alive,
                "restarts": engine.restarts,
                **_standing(standing.get(engine.url)),
                "held": kept,
            }
            for index, (engine, kept) in enumerate(zip(state.engines, held, strict=True))
        ]

    def _adapters(self) -> list[Json]:
        return [
            {
                "name": one.what.name,
                "ref": one.what.ref,
                "digest": one.what.digest,
                "error": one.what.error,
                "in_use": one.in_use,
                "declared": one.declared,
                "loaded": one.loaded,
                "on": sorted(engine.url for engine in one.engines),
                "retired": one.retired,
            }
            for one in sorted(self._service.residency.table, key=lambda one: one.what.ref)
        ]


def _standing(seen: EngineGauges | None) -> Json:
    """How admission sees an engine; one that it does not know takes nothing."""
    if seen is None:
        return {"standing": "down", "draining": False, "in_flight": 0}
    return {"standing": seen.standing, "draining": seen.draining, "in_flight": seen.in_flight}


async def _held(client: EngineClient | None) -> Json | None:
    if client is None:
        return None
    try:
        held = await client.residency()
    except EngineError:
        return None
    return None if held is None else asdict(held)
