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
from .catalog import Catalog
from .composing import Composer
from .declared import stored_as
from .pool import Pool
from .publish import Publisher
from .reconcile import Reconciler
from .residency import Residency, engine_door
from .resolve import Resolver
from .selector import load_selector, note_path
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
        self.residency = Residency(
            lambda: self.pool.ready,
            policy=engine_door(state.max_lora_rank),
            base_of=self.catalog.base_of,
        )
        reconciler = Reconciler(
            self.residency, known=lambda name: asyncio.to_thread(stored_as, name, self.catalog)
        )
        self.telemetry = telemetry or Telemetry()
        self.pool = Pool(
            session, restore=reconciler.restore, observe=self.telemetry.metrics.asked_engine
        )
        self.composer = Composer(store, self.residency, fallback=state.run_dir)
        self.resolver = Resolver(self.catalog, selector=selector, composer=self.composer)
        self.publisher = Publisher(self.catalog, self.residency)
        self.door = Door(state.access, admin_key=state.admin_key)
        self.audit = Audit(state.access.audit)
        self.admission = Admission(self.pool)
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
        """
        self.resolver.selector = await asyncio.to_thread(load_selector, path, self.state)
        note_path(path, self.state)

    async def follow(self, state: ServerState) -> None:
        """Take on what the supervisor has written: engines that came, went, or came back."""
        async with self._following:
            self.state = state
            try:
                await self.pool.follow(state.engines)
                if not self.base_name and self.pool.ready:
                    self.base_name = await self._ask_base_name()
                self.problem = "" if self.pool.ready else "no engine is ready yet"
            except SkillweaveError as err:
                self.problem = str(err)

    async def close(self) -> None:
        """Write what is only in memory; nothing is answered afterwards."""
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
