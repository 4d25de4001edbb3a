"""From the name of a skill to its adapter in every engine, before anybody has asked.

Owns what may be loaded ahead: the adapter that the bare name stands for now, where its evidence
makes it the served form. Refuses to own when (`admission/prefetch.py`).
"""

import asyncio

from ....adapters.expr import parse_term
from ..models.catalog import Catalog
from ..pool.pool import Pool
from .residency import Residency
from .servable import of_version


class Ahead:
    """Loads adapters by the names of their skills."""

    def __init__(self, catalog: Catalog, residency: Residency, pool: Pool) -> None:
        self._catalog = catalog
        self._residency = residency
        self._pool = pool

    async def load(self, skill: str) -> bool:
        """Load a skill's adapter; False where it has none to serve, or has it loaded already.

        Raises:
            SkillweaveError: there is no such skill, or it cannot be loaded.
        """
        found = await asyncio.to_thread(self._catalog.find, parse_term(skill))
        if found.form != "adapter" or found.version is None:
            return False
        servable = of_version(found.version)
        known = self._residency.find(servable.name)
        if known is not None and known.loaded:
            return False
        await self._residency.ensure(servable)
        return True

    def has_room(self) -> bool:
        """Whether every engine holds one more adapter, and the one that the request itself is about
        to load, without another having to leave."""
        books = self._pool.open
        num_loaded = sum(resident.loaded for resident in self._residency.table)
        return bool(books) and all(num_loaded + 1 < book.host for book in books)
