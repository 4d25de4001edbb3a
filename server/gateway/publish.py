"""Putting a version on a running server: load everywhere, and only then move the alias.

Owns that order, and the rule that a version leaves the engines one version later, when its last
request has ended. Refuses to own loading (`residency.py`) and the files of the store.
"""

import asyncio
from collections import deque

from ...adapters.errors import NotFound, SkillweaveError
from ...adapters.expr import parse_ref
from ...adapters.store.types import Version
from .catalog import Catalog
from .residency import Residency
from .servable import of_version

KEPT = 1
"""Predecessors that stay loaded behind an alias, so that a rollback costs nothing."""


class Publisher:
    """Moves aliases on a running server, one at a time."""

    def __init__(self, catalog: Catalog, residency: Residency) -> None:
        self._catalog = catalog
        self._residency = residency
        self._behind: dict[tuple[str, str], deque[Version]] = {}
        self._moving = asyncio.Lock()

    async def publish(
        self,
        *,
        ref: str | None = None,
        digest: str | None = None,
        alias: str | None = None,
        expected: int | None = None,
    ) -> Version:
        """Load a stored version into every engine, then point `alias` at it, if one is given.

        Args:
            ref, digest: one of the two names the version.
            expected: the alias is moved only away from this number.

        Raises:
            NotFound: no such version for this base.
            AdapterRefused: an engine cannot serve it; no alias was moved.
            EngineError: an engine failed; no alias was moved.
            Conflict: the alias was not at `expected`.
        """
        if ref is not None:
            parse_ref(ref)
            version = await asyncio.to_thread(self._catalog.version, ref)
        else:
            version = await asyncio.to_thread(self._catalog.version_by_digest, digest or "")
        await self._residency.declare(of_version(version))
        if alias is not None:
            async with self._moving:
                await self._move(version, alias, expected)
        return version

    async def rollback(self, name: str, *, alias: str) -> Version:
        """Point an alias where it pointed before.

        The store knows that place and moves at once; no request is answered by a version that is
        not loaded, and where it cannot be loaded any more the alias is put back.

        Raises:
            NotFound: no such name or alias.
            Conflict: it never pointed anywhere else.
            AdapterRefused, EngineError: the engines do not take it; the alias stays.
        """
        async with self._moving:
            before = await asyncio.to_thread(self._catalog.version, f"{name}@{alias}")
            target = await asyncio.to_thread(self._catalog.roll_back, name, alias)
            try:
                await self._residency.declare(of_version(target))
            except SkillweaveError:
                await asyncio.to_thread(self._catalog.move, before, alias, target.number)
                raise
            await self._follow_up(before, target, alias)
        return target

    async def _move(self, version: Version, alias: str, expected: int | None) -> None:
        before = await self._at(str(version.id), alias)
        await asyncio.to_thread(self._catalog.move, version, alias, expected)
        await self._follow_up(before, version, alias)

    async def _at(self, name: str, alias: str) -> Version | None:
        try:
            return await asyncio.to_thread(self._catalog.version, f"{name}@{alias}")
        except NotFound:
            return None

    async def _follow_up(self, before: Version | None, now: Version, alias: str) -> None:
        """Retire what lies more than `KEPT` versions behind the alias and is not wanted again."""
        if before is None or before == now:
            return
        behind = self._behind.setdefault((str(now.id), alias), deque())
        behind.append(before)
        while len(behind) > KEPT:
            old = behind.popleft()
            wanted = await asyncio.to_thread(self._catalog.is_pointed_at, old)
            if not wanted and old not in behind:
                self._residency.retire(of_version(old))
