"""The engines behind a gateway: which are ready, and which one takes the next request.

Owns connecting to the engines that the state file names. Refuses to own their adapters
(`residency.py`) and their processes (the supervisor).
"""

from collections.abc import Awaitable, Callable

import aiohttp

from ..engines.client import EngineClient
from ..state_file import EngineState
from .errors import NotReady


class Pool:
    """Clients of all engines.

    Args:
        restore: awaited for a new engine before it takes requests.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        restore: Callable[[EngineClient], Awaitable[None]],
    ) -> None:
        self._session = session
        self._restore = restore
        self._clients: dict[EngineState, EngineClient] = {}

    @property
    def ready(self) -> tuple[EngineClient, ...]:
        """The engines that take requests now."""
        return tuple(self._clients.values())

    async def follow(self, engines: tuple[EngineState, ...]) -> None:
        """Take on engines that have become ready and let go of those that are no longer named."""
        wanted = [engine for engine in engines if engine.ready and engine.alive]
        self._clients = {e: c for e, c in self._clients.items() if e in wanted}
        for engine in wanted:
            if engine not in self._clients:
                client = EngineClient(engine.url, secret=engine.secret, session=self._session)
                await self._restore(client)
                self._clients[engine] = client

    def pick(self) -> EngineClient:
        """The engine with the fewest running answers.

        Raises:
            NotReady: none is ready.
        """
        if not self._clients:
            raise NotReady("no engine is ready yet; GET /ready says when, try again in a moment")
        return min(self._clients.values(), key=lambda client: client.in_flight)
