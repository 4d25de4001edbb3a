"""Which adapters the engines hold: loaded once, held while in use, unloaded when they retire.

A request keeps the version it began with, whatever becomes of an alias (`servable.py` says why).
Owns the table of what is loaded. Refuses to own aliases (`publish.py`) and names (`catalog.py`).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from ...adapters.base.identity import BaseIdentity
from ...adapters.errors import AdapterRefused, EngineError
from ...adapters.gate.policy import GatePolicy
from ..engines.client import EngineClient
from .errors import NotReady
from .servable import Servable


@dataclass
class Resident:
    """One adapter in the engines. `in_use` counts running requests."""

    what: Servable
    in_use: int = 0
    loaded: bool = False
    retired: bool = False
    loading: "asyncio.Task[None] | None" = None


def engine_door(max_rank: int | None) -> GatePolicy:
    """What is asked of a stored version before an engine opens it.

    Values were scanned when it was stored, and its base family is that of the store's folder; a
    rank above the engine's cap is stored and listed, but not servable here.

    Args:
        max_rank: the engines' rank cap; None where it is not known.
    """
    return GatePolicy(values="header", accept_base=True, max_rank=max_rank)


class Residency:
    """The declared set of adapters, and the way to get one more into every engine.

    Args:
        engines: the engines that are ready now.
        policy: what an adapter must be to be loaded; `engine_door` makes it.
        base_of: what is known of a base family, by its digest; None where nothing is.
    """

    def __init__(
        self,
        engines: Callable[[], Sequence[EngineClient]],
        *,
        policy: GatePolicy,
        base_of: Callable[[str], BaseIdentity | None],
    ) -> None:
        self._engines = engines
        self._policy = policy
        self._base_of = base_of
        self._table: dict[str, Resident] = {}
        self._unloads: dict[str, asyncio.Task[None]] = {}

    @property
    def table(self) -> tuple[Resident, ...]:
        return tuple(self._table.values())

    @contextlib.asynccontextmanager
    async def hold(self, servable: Servable) -> AsyncIterator[str]:
        """Keep an adapter loaded while the body runs; yields its engine-side name.

        Raises:
            AdapterRefused: the engine cannot serve it.
            EngineError: no engine answers.
        """
        resident = self._resident(servable)
        resident.in_use += 1
        try:
            await self.ensure(servable)
            yield servable.name
        finally:
            resident.in_use -= 1
            self._tidy(resident)

    async def ensure(self, servable: Servable) -> None:
        """Load an adapter into every engine; callers at the same time share one load.

        Raises:
            AdapterRefused, EngineError: as `hold`.
        """
        resident = self._resident(servable)
        resident.retired = False
        if resident.loaded:
            return
        if resident.loading is None:
            resident.loading = asyncio.create_task(self._load(resident))
            resident.loading.add_done_callback(_note_failure)
        await asyncio.shield(resident.loading)

    def retire(self, servable: Servable) -> None:
        """Unload an adapter when its last request has ended."""
        resident = self._table.get(servable.name)
        if resident is not None:
            resident.retired = True
            self._tidy(resident)

    def lost(self, name: str) -> None:
        """An engine no longer knows this name: the next `ensure` loads it again."""
        if name in self._table:
            self._table[name].loaded = False

    async def restore(self, engine: EngineClient) -> None:
        """Bring an engine that has just become ready to the declared set.

        Names that it holds already are left alone: after a restart of the gateway the engine
        still has them.
        """
        held = {model.name for model in await engine.models()}
        for resident in self.table:
            if resident.loaded and resident.what.name not in held:
                try:
                    await asyncio.to_thread(self._check, resident.what)
                    await engine.load(resident.what.name, str(resident.what.path))
                except AdapterRefused:
                    resident.loaded = False

    async def settle(self) -> None:
        """Wait for unloads that were begun."""
        await asyncio.gather(*self._unloads.values())

    def _resident(self, servable: Servable) -> Resident:
        return self._table.setdefault(servable.name, Resident(servable))

    async def _load(self, resident: Resident) -> None:
        try:
            await asyncio.to_thread(self._check, resident.what)
            if resident.what.name in self._unloads:
                await self._unloads[resident.what.name]
            engines = self._engines()
            if not engines:
                raise NotReady("no engine is ready yet; GET /ready says when")
            path = str(resident.what.path)
            await asyncio.gather(*(engine.load(resident.what.name, path) for engine in engines))
            resident.loaded = True
        finally:
            resident.loading = None
            self._tidy(resident)

    def _check(self, servable: Servable) -> None:
        """The gate once more: files may have been touched since they were stored."""
        problems = self._policy.check(servable.path, self._base_of(servable.base))
        if problems:
            raise AdapterRefused(problems, subject=servable.ref)

    def _tidy(self, resident: Resident) -> None:
        """Forget an adapter that nobody uses, if it never came in or has retired."""
        idle = resident.in_use == 0 and resident.loading is None
        if not idle or (resident.loaded and not resident.retired):
            return
        self._table.pop(resident.what.name, None)
        if resident.loaded:
            resident.loaded = False
            task = asyncio.create_task(self._unload(resident.what.name))
            self._unloads[resident.what.name] = task
            task.add_done_callback(lambda _: self._unloads.pop(resident.what.name, None))

    async def _unload(self, name: str) -> None:
        for engine in self._engines():
            with contextlib.suppress(EngineError):  # an engine that is gone holds nothing
                await engine.unload(name)


def _note_failure(load: "asyncio.Task[None]") -> None:
    """A load whose callers have all left may fail unheard; whoever asks next loads again."""
    if not load.cancelled():
        load.exception()
