"""Which adapters the engines hold: loaded once, held while in use, let go of when they retire.

A request keeps the version it began with, whatever becomes of an alias (`servable.py` says why).
The table is the declared set: what every engine is to hold, also one that comes back. Owns the
table and each adapter's way in and out. Refuses to own aliases and steps of a run (`publishing/`),
names (`models/`), and bringing an engine into line (`reconcile.py`).
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from ....adapters.base.identity import BaseIdentity
from ....adapters.errors import AdapterRefused, EngineError
from ....adapters.gate.policy import GatePolicy
from ...engines.client import EngineClient
from ..errors import NotReady, refusal, unknown_model
from .resident import Resident
from .servable import Servable

MAX_BURIED = 4096
"""Names that are remembered as gone for good; only requests already on their way may ask."""
log = logging.getLogger(__name__)


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
        self._buried: dict[str, None] = {}
        self.on_change: Callable[[], None] = lambda: None
        """Called when the declared set has changed."""

    @property
    def table(self) -> tuple[Resident, ...]:
        return tuple(self._table.values())

    @property
    def declared(self) -> tuple[Servable, ...]:
        """What every engine is to hold, least recently used first."""
        kept = (each for each in self._table.values() if each.declared and not each.retired)
        return tuple(each.what for each in sorted(kept, key=lambda each: each.last_used))

    @property
    def max_rank(self) -> int | None:
        """The largest rank that every engine takes; None where it is not known."""
        return self._policy.max_rank

    def limit_rank(self, max_rank: int) -> None:
        """An engine says what it takes at most."""
        known = self._policy.max_rank
        if known is None or max_rank < known:
            self._policy = replace(self._policy, max_rank=max_rank)

    def find(self, name: str) -> Resident | None:
        """The entry of an engine-side name."""
        return self._table.get(name)

    @contextlib.asynccontextmanager
    async def hold(self, servable: Servable) -> AsyncIterator[str]:
        """Keep an adapter loaded while the body runs; yields its engine-side name.

        Raises:
            NotFound: it was let go of for good.
            AdapterRefused: the engine cannot serve it.
            EngineError: no engine answers.
        """
        resident = self._resident(servable)
        resident.in_use += 1
        resident.last_used = time.monotonic()
        try:
            if not resident.engines:
                await self._share_load(resident)
            yield servable.name
        finally:
            resident.in_use -= 1
            self._tidy(resident)

    async def ensure(self, servable: Servable) -> None:
        """Load an adapter into the engines; callers at the same time share one load.

        An engine that does not answer is passed over while another takes the adapter: it gets the
        declared set before it takes requests again.

        Raises:
            NotFound, AdapterRefused, EngineError: as `hold`.
        """
        resident = self._resident(servable)
        if not resident.engines:
            await self._share_load(resident)

    async def declare(self, servable: Servable, *, checked: bool = False) -> None:
        """Load an adapter into every engine, or into none.

        Args:
            checked: the gate has just seen it.

        Raises:
            NotFound, AdapterRefused: as `hold`.
            EngineError: an engine did not take it; what was loaded for this is gone again.
        """
        resident = self._resident(servable)
        new = not resident.declared
        resident.retired = False
        if self._missing(resident) or not resident.engines:
            await self._share_load(resident, checked=checked)
        missing = self._missing(resident)
        if missing:
            if new:
                self.retire(servable)
            raise EngineError(
                f"{missing[0].url} did not take {servable.ref}: nothing was changed; publish it "
                "again when GET /ready says that every engine is there"
            )

    def expect(self, servable: Servable) -> Resident:
        """Declare an adapter without loading it: engines get it when they come."""
        resident = self._resident(servable)
        resident.declared = True
        return resident

    def retire(self, servable: Servable, *, for_good: bool = False) -> asyncio.Event | None:
        """Let go of an adapter when its last request has ended.

        Args:
            for_good: nobody may load it again.

        Returns:
            An event, set when the engines have let go of it; None where it was not there.
        """
        if for_good:
            self._buried[servable.name] = None
            while len(self._buried) > MAX_BURIED:
                del self._buried[next(iter(self._buried))]
        resident = self._table.get(servable.name)
        if resident is not None:
            resident.retired = True
            self._tidy(resident)
        self.on_change()
        return None if resident is None else resident.left

    def lost(self, name: str) -> None:
        """An engine no longer knows this name: the next `ensure` loads it again."""
        if name in self._table:
            self._table[name].engines.clear()

    def forget(self, engine: EngineClient, resident: Resident) -> None:
        """An engine that came back does not take this adapter any more."""
        resident.engines.discard(engine)
        resident.declared = resident.loaded
        self._tidy(resident)

    async def settle(self) -> None:
        """Wait for unloads that were begun."""
        await asyncio.gather(*self._unloads.values())

    async def load_into(self, engine: EngineClient, resident: Resident) -> None:
        """Load a declared adapter into one more engine.

        Raises:
            AdapterRefused, EngineError: it does not take it.
        """
        await asyncio.to_thread(self._check, resident.what)
        await engine.load(resident.what.name, str(resident.what.path))
        resident.engines.add(engine)

    def _resident(self, servable: Servable) -> Resident:
        if servable.name in self._buried:
            raise unknown_model(servable.ref)
        return self._table.setdefault(servable.name, Resident(servable))

    def _missing(self, resident: Resident) -> list[EngineClient]:
        return [engine for engine in self._engines() if engine not in resident.engines]

    async def _share_load(self, resident: Resident, *, checked: bool = False) -> None:
        if resident.loading is None:
            resident.loading = asyncio.create_task(self._load(resident, checked=checked))
            resident.loading.add_done_callback(_note_failure)
        await asyncio.shield(resident.loading)

    async def _load(self, resident: Resident, *, checked: bool) -> None:
        try:
            if not checked:
                await asyncio.to_thread(self._check, resident.what)
            if resident.what.name in self._unloads:
                await self._unloads[resident.what.name]
            await self._load_everywhere(resident)
            if not resident.declared:
                resident.declared = True
                self.on_change()
        except AdapterRefused:
            resident.declared = resident.loaded
            raise
        finally:
            resident.loading = None
            self._tidy(resident)

    async def _load_everywhere(self, resident: Resident) -> None:
        """Into every engine that is ready, and those that become so meanwhile.

        One that refuses speaks for all: the adapter leaves where it came in just now.
        """
        name, path = resident.what.name, str(resident.what.path)
        before = set(resident.engines)
        tried = set(before)
        failures: list[EngineError] = []
        while todo := [engine for engine in self._engines() if engine not in tried]:
            tried.update(todo)
            loads = (engine.load(name, path) for engine in todo)
            results = await asyncio.gather(*loads, return_exceptions=True)
            pairs = [*zip(todo, results, strict=True)]
            resident.engines.update(engine for engine, result in pairs if result is None)
            refused = [each for each in results if isinstance(each, BaseException)]
            failures += [each for each in refused if isinstance(each, EngineError)]
            hard = [each for each in refused if not isinstance(each, EngineError)]
            if hard:
                came = resident.engines - before
                resident.engines -= came
                await self._unload(name, came)
                raise refusal(hard[0]) if isinstance(hard[0], AdapterRefused) else hard[0]
        if not resident.engines:
            raise (
                failures[0]
                if failures
                else NotReady("no engine is ready yet; GET /ready says when")
            )

    def _check(self, servable: Servable) -> None:
        """The gate once more: files may have been touched since they were stored."""
        problems = self._policy.check(servable.path, self._base_of(servable.base))
        if problems:
            raise refusal(AdapterRefused(problems, subject=servable.ref))

    def _tidy(self, resident: Resident) -> None:
        """Forget an adapter that nobody uses, if it never came in or has retired."""
        idle = resident.in_use == 0 and resident.loading is None
        name = resident.what.name
        if not idle or (resident.declared and not resident.retired):
            return
        if self._table.get(name) is resident:
            del self._table[name]
        if not resident.engines:
            resident.left.set()
            return
        task = asyncio.create_task(self._unload(name, set(resident.engines)))
        resident.engines.clear()
        self._unloads[name] = task

        def ended(_: object) -> None:
            self._unloads.pop(name, None)
            resident.left.set()

        task.add_done_callback(ended)

    async def _unload(self, name: str, engines: set[EngineClient]) -> None:
        for engine in engines.intersection(self._engines()):
            try:
                await engine.drop(name)
            except EngineError as err:  # one that is gone holds nothing, or is tidied as it returns
                log.warning("%s was not unloaded: %s", name, err)


def _note_failure(load: "asyncio.Task[None]") -> None:
    """A load whose callers have all left may fail unheard; whoever asks next loads again."""
    if not load.cancelled():
        load.exception()
