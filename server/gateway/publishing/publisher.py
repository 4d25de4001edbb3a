"""Putting stored versions on a running server: load everywhere, and only then move the alias.

Owns that order, and the rule that a version leaves the engines one version later, when its last
request has ended. Refuses to own loading (`residency/`), the choice among the versions of a split
(`splits.py`), steps of a run (`ephemeral.py`) and the files of the store.
"""

import asyncio
from collections.abc import Iterable, Mapping

from ....adapters.errors import Conflict, NotFound, SkillweaveError, StoreError
from ....adapters.expr import parse_ref
from ....adapters.names import validate_alias
from ....adapters.store.types import Version
from ..models.catalog import Catalog
from ..residency.residency import Residency
from ..residency.servable import Servable, of_version
from .splits import Key, Split, Splits, make_split

KEPT = 1
"""Predecessors that stay loaded behind an alias, so that a rollback costs nothing."""


class Publisher:
    """Moves aliases on a running server, one at a time.

    Args:
        behind: what lay behind each alias when the gateway before this one ended, oldest first.
    """

    def __init__(
        self,
        catalog: Catalog,
        residency: Residency,
        splits: Splits,
        *,
        behind: Mapping[Key, tuple[int, ...]] | None = None,
    ) -> None:
        self._catalog = catalog
        self._residency = residency
        self._splits = splits
        self._behind = {key: list(numbers) for key, numbers in (behind or {}).items()}
        self._moving = asyncio.Lock()

    @property
    def behind(self) -> dict[Key, tuple[int, ...]]:
        """What is still loaded behind each alias, oldest first."""
        return {key: tuple(numbers) for key, numbers in self._behind.items() if numbers}

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
        if alias is not None:
            validate_alias(alias)
        version = await self.version(ref=ref, digest=digest)
        await self._residency.declare(of_version(version))
        if alias is not None:
            async with self._moving:
                await self._move(version, alias, expected)
        return version

    async def version(self, *, ref: str | None = None, digest: str | None = None) -> Version:
        """A stored version for this base, by reference or by digest.

        Raises:
            NotFound: there is none.
        """
        if ref is None:
            return await asyncio.to_thread(self._catalog.version_by_digest, digest or "")
        parse_ref(ref)
        return await asyncio.to_thread(self._catalog.version, ref)

    async def unload(self, ref: str) -> Version:
        """Let the engines go of a version when its last request has ended; asked for again, it is
        loaded again.

        Raises:
            NotFound: no such version for this base.
            Conflict: an alias or a split means it.
        """
        version = await self.version(ref=ref)
        name, number = str(version.id), version.number
        async with self._moving:
            pointed = await asyncio.to_thread(self._catalog.is_pointed_at, version)
            if pointed or self._splits.hold(name, number):
                raise Conflict(
                    f"{version.ref} is what an alias of {name} means: move the alias first "
                    "(`skillweave alias`)"
                )
            for key, numbers in self._behind.items():
                if key[0] == name and number in numbers:
                    numbers.remove(number)
            self._residency.retire(of_version(version))
        return version

    async def rollback(self, name: str, *, alias: str) -> Version:
        """Point an alias where it pointed before; a split of it ends.

        The store knows that place and moves at once; no request is answered by a version that is
        not loaded, and where it cannot be loaded any more the alias is put back.

        Raises:
            NotFound: no such name or alias.
            Conflict: it never pointed anywhere else.
            AdapterRefused, EngineError: the engines do not take it; the alias stays.
        """
        validate_alias(alias)
        async with self._moving:
            before = await asyncio.to_thread(self._catalog.version, f"{name}@{alias}")
            target = await asyncio.to_thread(self._catalog.roll_back, name, alias)
            try:
                await self._residency.declare(of_version(target))
            except SkillweaveError:
                await asyncio.to_thread(self._catalog.move, before, alias, target.number)
                raise
            await self._moved(before, target, alias)
        return target

    async def split(self, name: str, alias: str, weights: Mapping[int, int]) -> Split:
        """Let several versions answer for an alias, once every engine has all of them.

        An alias that points nowhere yet is pointed at the version with the most parts.

        Args:
            weights: version number -> parts.

        Raises:
            UsageError, InvalidName: parts that make no split.
            NotFound: a version that does not exist.
            AdapterRefused, EngineError: an engine does not take one; nothing was changed.
        """
        validate_alias(alias)
        make_split(0, weights)
        async with self._moving:
            versions = [await self.version(ref=f"{name}@{number}") for number in weights]
            await self._declare_all([of_version(v) for v in versions if weights[v.number]])
            at = await self._at(name, alias)
            if at is None:
                at = max(versions, key=lambda version: weights[version.number])
                await asyncio.to_thread(self._catalog.move, at, alias, 0)
            key = (str(at.id), alias)
            split = make_split(at.number, weights)
            before = await self._set_split(key, split)
            left = before.numbers if before is not None else frozenset[int]()
            self._residency.on_change()
            await self._let_go(key, left, now=split.numbers | {at.number})
        return split

    async def _declare_all(self, servables: Iterable[Servable]) -> None:
        """All of them in every engine, or none that was not there before."""
        came: list[Servable] = []
        for servable in servables:
            resident = self._residency.find(servable.name)
            new = resident is None or not resident.declared
            try:
                await self._residency.declare(servable)
            except SkillweaveError:
                for each in came:
                    self._residency.retire(each)
                raise
            if new:
                came.append(servable)

    async def _move(self, version: Version, alias: str, expected: int | None) -> None:
        before = await self._at(str(version.id), alias)
        await asyncio.to_thread(self._catalog.move, version, alias, expected)
        await self._moved(before, version, alias)

    async def _moved(self, before: Version | None, now: Version, alias: str) -> None:
        """What follows from a move: the split is over, and what answered until now may go."""
        key = (str(now.id), alias)
        split = await self._set_split(key, None)
        left = set(split.numbers) if split is not None else set[int]()
        if before is not None:
            left.add(before.number)
        await self._let_go(key, left, now={now.number})

    async def _set_split(self, key: Key, split: Split | None) -> Split | None:
        try:
            return await asyncio.to_thread(self._splits.set, key, split)
        except OSError as err:
            raise StoreError(f"the split of {key[0]}@{key[1]} could not be kept: {err}") from err

    async def _at(self, name: str, alias: str) -> Version | None:
        try:
            return await asyncio.to_thread(self._catalog.version, f"{name}@{alias}")
        except NotFound:
            return None

    async def _let_go(self, key: Key, left: Iterable[int], *, now: Iterable[int]) -> None:
        """Retire what lies more than `KEPT` versions behind the alias and is not wanted again."""
        serving = set(now)
        behind = self._behind.setdefault(key, [])
        behind[:] = [n for n in behind if n not in serving]
        behind += sorted(set(left) - serving - set(behind))
        gone, behind[:] = behind[:-KEPT], behind[-KEPT:]
        for number in gone:
            resident = self._resident(key[0], number)
            if resident is not None and not await self._is_wanted(key[0], number):
                self._residency.retire(resident)
        self._residency.on_change()

    async def _is_wanted(self, name: str, number: int) -> bool:
        if self._splits.hold(name, number):
            return True
        if any(number in numbers for key, numbers in self._behind.items() if key[0] == name):
            return True
        try:
            version = await asyncio.to_thread(self._catalog.version, f"{name}@{number}")
            return await asyncio.to_thread(self._catalog.is_pointed_at, version)
        except NotFound:
            return False

    def _resident(self, name: str, number: int) -> Servable | None:
        ref = f"{name}@{number}"
        return next((r.what for r in self._residency.table if r.what.ref == ref), None)
