"""The gateway's state, put together from what the supervisor says.

Owns the parts and their life: following the state file, becoming ready. Refuses to own any rule;
each part has its own file.
"""

import asyncio
from pathlib import Path

import aiohttp

from ...adapters.errors import EngineError, SkillweaveError
from ...adapters.skills import Skill, discover_skills
from ...adapters.store.store import Store
from ...router.types import Selector
from ..state_file import ServerState
from .access.audit import Audit
from .access.door import Door
from .admission.admission import Admission
from .admission.prefetch import Prefetch
from .models.catalog import Catalog
from .models.resolve import Resolver
from .models.selector import load_selector, note_path
from .pool.pool import Pool
from .publishing.publishing import Publishing
from .residency.ahead import Ahead
from .sums.composer import Composer
from .telemetry.telemetry import Telemetry
from .ui.traffic import Traffic


class Service:
    """Everything that the routes need.

    Args:
        state: as read at the start; `follow` takes newer ones.
        selector: what answers `auto`; None where no router is configured.
        telemetry: where requests report to; by default metrics without an access log.
    """

    def __init__(
        self,
        state: ServerState,
        session: aiohttp.ClientSession,
        *,
        selector: Selector | None,
        telemetry: Telemetry | None = None,
    ) -> None:
        self.state = state
        self.base_name = state.base_name
        self.problem = "starting"
        skills = _skills_of(state)
        store = Store(state.store) if state.store is not None else None
        self.catalog = Catalog(store, family=state.family, skills=skills)
        self.publishing = Publishing(
            state,
            store=store,
            catalog=self.catalog,
            texts=skills,
            engines=lambda: self.pool.ready,
        )
        self.residency = self.publishing.residency
        self.publisher = self.publishing.publisher
        self.telemetry = telemetry or Telemetry()
        self.pool = Pool(
            session,
            restore=self.publishing.restore,
            observe=self.telemetry.metrics.asked_engine,
            slots=state.lora_slots,
            takes_priority=state.takes_priority,
        )
        self.composer = Composer(store, self.residency, fallback=state.run_dir)
        self.resolver = Resolver(
            self.catalog,
            selector=selector,
            composer=self.composer,
            runs=self.publishing.ephemeral,
            splits=self.publishing.splits,
        )
        self.door = Door(state.access, admin_key=state.admin_key)
        self.audit = Audit(state.access.audit)
        self.admission = Admission(self.pool, state.admission)
        ahead = Ahead(self.catalog, self.residency, self.pool)
        self.prefetch = Prefetch(
            ahead.load,
            has_room=ahead.has_room,
            most=state.admission.prefetch,
            outcomes=self.admission.figures.prefetches,
        )
        self.resolver.selector = self.prefetch.watch(selector)
        self.traffic = Traffic(self.telemetry)
        self._following = asyncio.Lock()

    @property
    def ready(self) -> bool:
        """Whether requests can be answered now."""
        return bool(self.pool.ready)

    @property
    def selector(self) -> Selector | None:
        """What answers `auto`."""
        return self.resolver.selector

    async def set_router(self, path: Path) -> None:
        """Let the saved router at `path` answer `auto` from now on.

        Raises:
            RouterError, StaleRouter: it cannot be read, or is for another base; nothing changed.
            StoreError: it cannot be noted for a gateway that is started again; nothing changed.
        """
        selector = await asyncio.to_thread(load_selector, path, self.state)
        await asyncio.to_thread(note_path, path, self.state)
        self.resolver.selector = self.prefetch.watch(selector)

    async def follow(self, state: ServerState) -> None:
        """Take on what the supervisor has written: engines that came, went, or came back."""
        async with self._following:
            self.state = state
            try:
                await self.publishing.recover()
                await self.pool.follow(state.engines)
                if not self.base_name and self.pool.ready:
                    self.base_name = await self._ask_base_name()
                self.problem = "" if self.pool.ready else "no engine is ready yet"
            except SkillweaveError as err:
                self.problem = str(err)

    async def close(self) -> None:
        """Write what is only in memory; nothing is answered afterwards."""
        self.composer.close()
        await self.prefetch.close()
        await self.pool.close()
        await self.publishing.close()
        await self.door.close()

    async def _ask_base_name(self) -> str:
        """What an engine that we did not start calls its base: the first name without parent."""
        for model in await self.pool.pick().models():
            if model.parent is None:
                return model.name
        raise EngineError("the engine lists no base model")


def _skills_of(state: ServerState) -> dict[str, Skill]:
    """The texts of `--skills` by id; two skills of one id cannot both come, the first wins."""
    if state.skills is None:
        return {}
    return {skill.slug: skill for skill, _ in discover_skills(state.skills)}
