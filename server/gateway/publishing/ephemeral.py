"""Steps of a training run on a running server: in memory, for a while, and then gone.

A step is judged, gets a folder and an engine-side name of its own for good, and is loaded into
every engine before it counts. Older steps leave with their last request (`steps.py` says which).
Owns the order of these moves. Refuses to own the table's rules (`steps.py`), the files
(`step_folders.py`), reading a request (`uploads.py`) and loading (`residency/`).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from ....adapters.errors import Conflict, NotFound, SkillweaveError
from ....adapters.expr import Term
from ....adapters.store.types import Version
from ..residency.residency import Residency
from ..residency.servable import Servable
from .step_folders import Asked, Prepared, StepFolders
from .steps import Step, Steps
from .uploads import Receiver

UNLOAD_AFTER_S = 0.25
"""A removal keeps an engine busy for a moment: the first answers of the new step go before it."""
DELETE_AFTER_S = 2.0
"""Between unloading and deleting: an engine may still be ending a request whose client left."""


class Ephemeral:
    """Publishes, finds and retires steps.

    Args:
        taken: whether a name belongs to a stored skill or a skill text. Blocks.
        unload_after_s, delete_after_s: see `UNLOAD_AFTER_S` and `DELETE_AFTER_S`.
    """

    def __init__(
        self,
        residency: Residency,
        folders: StepFolders,
        *,
        taken: Callable[[str], bool],
        unload_after_s: float = UNLOAD_AFTER_S,
        delete_after_s: float = DELETE_AFTER_S,
    ) -> None:
        self.folders = folders
        self.steps = Steps()
        self._residency = residency
        self._taken = taken
        self.unload_after_s = unload_after_s
        self.delete_after_s = delete_after_s
        self._order: dict[str, asyncio.Lock] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def __contains__(self, name: str) -> bool:
        """Whether a run of this name is served."""
        return name in self.steps

    def find(self, term: Term) -> Servable | None:
        """What a term of a `model` string means among the runs; None where no run is meant."""
        step = self.steps.find(term)
        return None if step is None else step.servable

    @contextlib.asynccontextmanager
    async def receiving(self, content_type: str, num_bytes: int | None) -> AsyncIterator[Receiver]:
        """Takes the bytes of a step; what was not published is gone when the body ends.

        Raises:
            RequestRefused: no multipart form. NoRoom: the memory is full.
        """
        receiver = self.folders.receiver(content_type, num_bytes)
        try:
            yield receiver
        finally:
            if receiver.folder.exists():  # it was not named: nothing came of it
                await asyncio.to_thread(self.folders.discard, receiver.folder)

    async def publish(self, asked: Asked, came: Receiver | Version) -> Step:
        """Serve a step, loaded into every engine; older steps leave.

        Args:
            came: its bytes, read to their end, or a version of the store that has them.

        Raises:
            Conflict: a skill has the run's name; the number is taken or behind the window.
            NotFound: the base of this server is not known, so nothing can be checked against it.
            AdapterRefused: the gate or an engine does not take it.
            EngineError: an engine failed; nothing was changed.
        """
        async with self._order.setdefault(asked.run, asyncio.Lock()):
            prepared = await asyncio.to_thread(self._prepare, asked, came)
            digest = prepared.step.servable.digest
            try:
                here = self.steps.admit(
                    asked.run, asked.step, digest=digest, staleness=asked.staleness
                )
            except Conflict:
                await asyncio.to_thread(self.folders.discard, prepared.part)
                raise
            if here is not None:
                await asyncio.to_thread(self.folders.discard, prepared.part)
                await self._residency.declare(here.servable)
                return here
            await self._take_in(prepared)
            for old in self.steps.add(prepared.step, staleness=asked.staleness):
                self._retire(old)
        return prepared.step

    async def end(self, run: str) -> int:
        """Let go of every step of a run; returns how many there were.

        Raises:
            NotFound: there is no such run.
        """
        async with self._order.setdefault(run, asyncio.Lock()):
            steps = self.steps.end(run)
            for step in steps:
                self._retire(step)
        self._order.pop(run, None)
        if not steps:
            raise NotFound(f"no run {run[:100]!r} is published here; GET /admin/state lists them")
        return len(steps)

    async def recover(self, version_of: Callable[[str], Version]) -> None:
        """Declare what a gateway before this one had published; before any engine is met.

        Args:
            version_of: a stored version by its digest. Blocks.
        """
        for asked, step in await asyncio.to_thread(self.folders.recover, version_of):
            for old in self.steps.add(step, staleness=asked.staleness):
                await asyncio.to_thread(self.folders.remove, old)
        for _, run in self.steps:
            for step in run.steps.values():
                self._residency.expect(step.servable)

    async def settle(self) -> None:
        """Wait for deletions that were begun."""
        await asyncio.gather(*self._leaving)

    def _prepare(self, asked: Asked, came: Receiver | Version) -> Prepared:
        if self._taken(asked.run):
            raise Conflict(
                f"{asked.run!r} is the name of a stored skill or a skill text, and a run may not "
                "take it: call the run something else"
            )
        return self.folders.prepare(asked, came)

    async def _take_in(self, prepared: Prepared) -> None:
        """The folder first, since its path is what engines load; gone again where one refuses."""
        step = prepared.step
        self.folders.settle(prepared)
        try:
            await self._residency.declare(step.servable, checked=step.own)
        except SkillweaveError:
            await asyncio.to_thread(self.folders.remove, step)
            raise

    def _retire(self, step: Step) -> None:
        """Nobody finds it any more; engines let go of it soon, and then its files go."""
        task = asyncio.create_task(self._let_go(step))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _let_go(self, step: Step) -> None:
        await asyncio.sleep(self.unload_after_s)
        left = self._residency.retire(step.servable, for_good=True)
        if left is not None:
            await left.wait()
        await asyncio.sleep(self.delete_after_s)
        await asyncio.to_thread(self.folders.remove, step)
