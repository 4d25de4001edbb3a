"""An engine that has just become ready is brought to the declared set, before it takes requests.

What it lacks is loaded. What it holds beyond the set, after a restart of the gateway, is adopted
where it is an adapter that we know under exactly this name and path, and else removed. Names that
are not of our making are left alone: an engine that we did not start may serve other things.
Owns that comparison. Refuses to own the set (`residency.py`).
"""

import logging
import re
from collections.abc import Awaitable, Callable

from ....adapters.errors import AdapterRefused, SkillweaveError
from ...engines.client import EngineClient
from .residency import Residency
from .resident import Resident
from .servable import Servable

Known = Callable[[str], Awaitable[Servable | None]]
"""What an engine-side name stands for; None where it stands for nothing any more."""

OURS = re.compile(r"(?:.+--v\d+|run--.+--\d+|mix)--[0-9a-f]{12}")
"""Engine-side names that a gateway gives (`servable.py`, steps of a run, sums)."""
log = logging.getLogger(__name__)


class Reconciler:
    """Brings engines into line.

    Args:
        known: asked about names that an engine holds and that are not declared.
    """

    def __init__(self, residency: Residency, *, known: Known) -> None:
        self._residency = residency
        self._known = known

    async def restore(self, engine: EngineClient) -> None:
        """Make an engine hold the declared set, and of ours nothing else.

        Raises:
            EngineError: it does not answer; nothing is believed of it.
        """
        report = await engine.residency()
        if report is None:
            log.warning(
                "the engine at %s runs without skillweave's plugin: an adapter that is unloaded "
                "keeps its slot and memory there until others push it out",
                engine.url,
            )
        else:
            self._residency.limit_rank(report.max_lora_rank)
        held = {model.name: model.path for model in await engine.models()}
        beyond = [*report.host, *report.slots] if report is not None else []
        for name in dict.fromkeys([*held, *beyond]):
            await self._judge(engine, name, held.get(name))
        refused: set[str] = set()
        while missing := self._missing(engine, refused):
            try:
                await self._residency.load_into(engine, missing[0])
            except AdapterRefused as err:
                log.warning("%s is not served at %s: %s", missing[0].what.ref, engine.url, err)
                refused.add(missing[0].what.name)
                self._residency.forget(engine, missing[0])

    def _missing(self, engine: EngineClient, refused: set[str]) -> list[Resident]:
        """What the engine lacks; asked again after every load, since the set may have grown."""
        residents = (self._residency.find(each.name) for each in self._residency.declared)
        return [
            each
            for each in residents
            if each is not None and engine not in each.engines and each.what.name not in refused
        ]

    async def _judge(self, engine: EngineClient, name: str, path: str | None) -> None:
        """One name that an engine holds; `path` is None where it only fills memory."""
        if not OURS.fullmatch(name):
            return
        resident = self._residency.find(name)
        if resident is not None and path in (None, str(resident.what.path)):
            if path is not None:
                resident.engines.add(engine)
            return
        servable = await self._ask(name) if resident is None and path is not None else None
        if servable is not None and path == str(servable.path):
            self._residency.expect(servable).engines.add(engine)
            log.warning("%s was adopted from the engine at %s", servable.ref, engine.url)
            return
        log.warning("%s was left over in the engine at %s: removed", name, engine.url)
        await engine.drop(name)

    async def _ask(self, name: str) -> Servable | None:
        try:
            return await self._known(name)
        except SkillweaveError as err:
            log.warning("%s is not adopted: %s", name, err)
            return None
