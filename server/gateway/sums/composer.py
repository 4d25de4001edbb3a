"""Sums of adapters, made when they are asked for: `a*0.7+b@2*-0.2` becomes one loadable folder.

Exact where the ranks together fit the engines' cap, else the best approximation of that rank, with
its error. A sum is made once for all who ask for it at the same time, and kept until others need
its room; what is in use is never taken away. Sums are cache objects, no versions: the store does
not know them. Owns the table of sums and their folders. Refuses to own what terms mean
(`models/resolve.py`), the mathematics (`adapters/compose/`) and loading (`residency/`).
"""

import asyncio
import gc
import importlib
import shutil
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from ....adapters.errors import Conflict, SkillweaveError, StoreError
from ....adapters.peft_folder.header import read_header_of
from ....adapters.store.store import Store
from ...config import ALLOWED_RANK_CAPS
from ...memory_folders import sweep
from ..errors import NoRoom, TooBusy
from ..residency.residency import Residency
from ..residency.servable import Servable
from .mix_folder import KIND, MixFolder
from .recipe import NAME_DIGITS, Recipe, rank_of_sum

DEFAULT_CAP = 16
"""vLLM's own `--max-lora-rank`, for an engine whose cap is not known."""
MAX_MIXES = 256
"""Sums that are kept; each takes a place in the engines, too."""
MAX_WAITING = 32
"""Different sums that may be in the making at one time."""
RETRY_AFTER_S = 2.0


@dataclass(frozen=True)
class Mix:
    """A sum that can be served. `rank` is what the exact sum needs."""

    recipe: Recipe
    servable: Servable
    rank: int
    size_bytes: int
    template_arguments: Mapping[str, object]


class Composer:
    """Makes and keeps sums.

    Args:
        store: where the terms live; None for a server without a store.
        residency: what the engines hold.
        fallback: where folders go when memory has no room for them.

    `new_folder` makes the place for them, with the first sum.
    """

    def __init__(
        self,
        store: Store | None,
        residency: Residency,
        *,
        fallback: Path | None = None,
    ) -> None:
        self._store = store
        self._residency = residency
        self.new_folder: Callable[[], MixFolder] = lambda: MixFolder(fallback)
        self._folder: MixFolder | None = None
        self._kept: OrderedDict[str, Mix] = OrderedDict()
        self._making: dict[str, asyncio.Task[None]] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._cap = 0

    @property
    def kept(self) -> tuple[Mix, ...]:
        """What there is, least recently asked for first."""
        return tuple(self._kept.values())

    async def mix(self, recipe: Recipe, *, exact: bool) -> Mix:
        """The sum, made now if nobody asked for it before.

        Args:
            exact: refuse a sum that must be cut to fit the engines.

        Raises:
            Conflict: `exact`, and the ranks together are above the engines' cap.
            BaseMismatch: the terms were made on different bases.
            UsageError: the weights are too large for a sum in float32.
            AdapterRefused: a term is damaged.
            NoRoom: larger than all that sums may take. TooBusy: too many are in the making.
            StoreError: the disk is unwilling.
        """
        cap = self._residency.max_rank or DEFAULT_CAP
        if cap != self._cap:
            self._start_anew(cap)
        key = recipe.digest(cap)
        while (found := self._kept.get(key)) is None:
            await self._share(key, recipe, cap)
        self._kept.move_to_end(key)
        if exact and found.rank > cap:
            raise _does_not_fit(recipe, found.rank, cap)
        return found

    def close(self) -> None:
        """Remove every folder."""
        if self._folder is not None:
            self._folder.close()

    def _start_anew(self, cap: int) -> None:
        """Another cap, other sums: what fitted may be cut now, and the other way round."""
        self._cap = cap
        while self._kept:
            self._let_go(self._kept.popitem()[1].servable)

    async def _share(self, key: str, recipe: Recipe, cap: int) -> None:
        task = self._making.get(key)
        if task is None:
            if len(self._making) >= MAX_WAITING:
                raise TooBusy(
                    f"{MAX_WAITING} sums of adapters are being made already; try again in a moment",
                    retry_after_s=RETRY_AFTER_S,
                )
            task = self._making[key] = asyncio.create_task(self._make(key, recipe, cap))
            task.add_done_callback(lambda done: self._made(key, done))
        await asyncio.shield(task)

    def _made(self, key: str, task: "asyncio.Task[None]") -> None:
        del self._making[key]
        if not task.cancelled():
            task.exception()  # whoever waits hears of it; with nobody left it is no news

    async def _make(self, key: str, recipe: Recipe, cap: int) -> None:
        async with self._one_at_a_time:
            if self._store is None:
                raise StoreError("this server knows no store, so there is nothing to add up")
            work = _Work(self._store, recipe, cap, await self._place())
            name = await asyncio.to_thread(work.name)
            if name in self._leaving:
                await asyncio.shield(self._leaving[name])
            mix = await asyncio.to_thread(work.make)
            await self._make_room(mix)
            self._kept[key] = mix

    async def _place(self) -> MixFolder:
        if self._folder is None:
            try:
                self._folder = await asyncio.to_thread(self.new_folder)
            except OSError as err:
                raise StoreError(f"there is no place for sums of adapters: {err}") from err
        return self._folder

    async def _make_room(self, mix: Mix) -> None:
        """Let the least recently used go that nobody uses."""
        assert self._folder is not None
        limit = self._folder.max_bytes - mix.size_bytes
        if limit < 0:
            await asyncio.to_thread(self._folder.remove, mix.servable.name)
            raise NoRoom(
                f"{mix.recipe.label} takes {mix.size_bytes} bytes, and all sums together may take "
                f"{self._folder.max_bytes}: store it with `skillweave compose --name`"
            )
        total = sum(each.size_bytes for each in self._kept.values())
        for key, each in list(self._kept.items()):
            if total <= limit and len(self._kept) < MAX_MIXES:
                return
            resident = self._residency.find(each.servable.name)
            if resident is None or resident.in_use == 0:
                total -= each.size_bytes
                del self._kept[key]
                self._let_go(each.servable)
        if total > limit:
            await asyncio.to_thread(self._folder.remove, mix.servable.name)
            raise TooBusy(
                "every sum of adapters is in use, and there is no room for one more; try again in "
                "a moment",
                retry_after_s=RETRY_AFTER_S,
            )

    def _let_go(self, servable: Servable) -> None:
        task = asyncio.create_task(self._remove(servable))
        self._leaving[servable.name] = task
        task.add_done_callback(lambda _: self._leaving.pop(servable.name, None))

    async def _remove(self, servable: Servable) -> None:
        assert self._folder is not None
        left = self._residency.retire(servable)
        if left is not None:
            await left.wait()
        await asyncio.to_thread(self._folder.remove, servable.name)


def warm() -> None:
    """Have at hand what the first sum needs; takes a second or two, so call it from a thread.

    One thread for sums: the other cores belong to the engines. What is loaded by then stays for
    good, so it is taken out of garbage collection: a full one took 0.12 s, in which nobody is
    answered.
    """
    sweep(KIND)
    importlib.import_module("...adapters.compose.compose", __package__)
    importlib.import_module("torch").set_num_threads(1)
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class _Work:
    """The making of one sum; blocks, so it runs in a thread."""

    store: Store
    recipe: Recipe
    cap: int
    folder: MixFolder

    @property
    def rank(self) -> int:
        """What the exact sum needs."""
        parts = self.recipe.parts
        return rank_of_sum([_ranks(part.version.path) for part in parts])

    def name(self) -> str:
        """The engine-side name, unique for the content."""
        return f"mix--{self._digest()[:NAME_DIGITS]}"

    def make(self) -> Mix:
        from ....adapters.compose.compose import compose
        from ....adapters.peft_folder.deltas import write_peft

        fits = self.rank <= self.cap
        base = self.recipe.parts[0].version.base
        rank: Literal["exact"] | int = "exact" if fits else self.cap
        made = compose(self.store, self.recipe.terms, rank=rank, base=base)
        path = self.folder.place(self.name())
        partial = path.with_suffix(".partial")
        try:
            shutil.rmtree(partial, ignore_errors=True)
            write_peft(made.delta, partial)
            if not path.exists():
                partial.rename(path)
        except OSError as err:
            raise StoreError(f"writing {self.recipe.label} failed: {err}") from err
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        digest = self._digest()
        servable = Servable(
            name=self.name(),
            path=path,
            base=base,
            digest=digest,
            ref=self.recipe.label,
            label=digest[:NAME_DIGITS],
            error=made.error,
        )
        size = sum(file.stat().st_size for file in path.iterdir())
        return Mix(self.recipe, servable, self.rank, size, made.card.frame.template_args)

    def _digest(self) -> str:
        return self.recipe.digest(None if self.rank <= self.cap else self.cap)


@lru_cache(maxsize=1024)
def _ranks(path: Path) -> dict[str, int]:
    """Module -> rank of a stored version, whose folder never changes."""
    header = read_header_of(path)
    return header.config.ranks_of(header.modules)


def _does_not_fit(recipe: Recipe, rank: int, cap: int) -> SkillweaveError:
    flag = next((each for each in ALLOWED_RANK_CAPS if each >= rank), None)
    advice = (
        f"start the server with --max-lora-rank {flag}"
        if flag is not None
        else f"no engine takes more than {ALLOWED_RANK_CAPS[-1]}"
    )
    return Conflict(
        f"{recipe.label}:exact has rank {rank}, and this server runs with --max-lora-rank {cap}: "
        f"{advice}, or leave ':exact' out and read the error in x-skillweave-error"
    )
