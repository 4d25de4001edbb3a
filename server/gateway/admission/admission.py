"""Letting requests through to the engines: which engine, when, with which priority.

Owns the wait of a request between its arrival and its engine. Refuses to own what an engine holds
(`residency.py`) and connections to it (`pool.py`).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ...engines.client import EngineClient
from ..pool import Pool


@dataclass(frozen=True)
class Wanted:
    """What a request needs.

    Args:
        adapter: engine-side name; None for the base and for texts.
        tenant: for fairness between callers.
        cost: expected tokens, prompt and answer together.
        session: requests of one session like to meet the same engine again.
        timeout_s: how long the caller is willing to wait in all; None for no limit.
        avoid: engines that have just failed this request.
    """

    adapter: str | None
    tenant: str
    cost: int
    session: str | None = None
    timeout_s: float | None = None
    avoid: tuple[EngineClient, ...] = ()


@dataclass(frozen=True)
class Ticket:
    """The right to ask one engine now. `priority` is for the engine, smaller is sooner."""

    engine: EngineClient
    priority: int | None = None


class Admission:
    """Hands out tickets."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def enter(self, wanted: Wanted) -> AsyncIterator[Ticket]:
        """Wait for a place, hold it while the body runs.

        Raises:
            NotReady: no engine is ready.
            TooBusy: the queue is full, or the wait would be longer than the caller's time.
        """
        engine = self._pool.pick()
        engine.in_flight += 1
        try:
            yield Ticket(engine)
        finally:
            engine.in_flight -= 1
