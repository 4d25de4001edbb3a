"""One guard per child: it waits until the child answers, and starts it again when it ends.

An engine that keeps ending concerns its own guard only; the others serve on. A guard never gives
up; it waits longer each time (`backoff.py`). What hangs is ended like what has ended. An engine
that we did not start is asked how it is, no more.
Owns the lives of one child, one after another. Refuses to own command lines (`children.py`), what
the gateway is told and the end of everything (`supervisor.py`).
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine
from dataclasses import replace

from ...adapters.errors import EngineError
from ..state_file import EngineState
from .backoff import Backoff
from .children import Nursery
from .health import (
    last_words,
    until_engine_answers,
    until_engine_silent,
    until_gateway_answers,
    until_gateway_silent,
)
from .process import Child
from .restarts import Restarts

END_MARGIN_S = 8.0
"""What a keeper may take to end an engine in haste, with what it left behind."""
GATEWAY_RULE = Backoff(first_s=0.1, longest_s=2.0, steady_s=1.0)
"""Less patient than with engines: a start takes nothing from them, and clients wait for it."""
FOREIGN_SILENT_S = 10.0
"""An engine that we did not start cannot be started again: only requests are kept from it."""

FOREIGN_PAUSE_S = 5.0
"""Before it is asked again where it answers, but not as an engine of ours."""

Say = Callable[[str], None]
Changed = Callable[[], None]


class EngineGuard:
    """One engine of ours.

    Args:
        say: gets lines for people.
        changed: called when `state` is another one.

    `settled` holds the outcome of the first start: None, or why it failed.
    """

    def __init__(self, nursery: Nursery, index: int, *, say: Say, changed: Changed) -> None:
        self._nursery = nursery
        self._index = index
        self._say = say
        self._changed = changed
        self._restarts = Restarts(rule=Backoff(longest_s=nursery.config.restart_longest_s))
        self.settled: asyncio.Future[EngineError | None] = asyncio.Future()
        self.ever_ready = False
        self.child, self.state = nursery.start_engine(index)

    async def keep(self) -> None:
        """Keep one engine running, for ever."""
        config = self._nursery.config
        while True:
            try:
                await until_engine_answers(self.state, self.child, timeout_s=config.start_timeout_s)
                self._ready()
                await _until_over(
                    self.child, until_engine_silent(self.state, silent_s=config.hang_timeout_s)
                )
                failed = None
            except EngineError as err:
                failed = err
                self._settle(err)
            await self._start_again(failed)

    def _ready(self) -> None:
        away_s = self._restarts.ready()
        if away_s is not None:
            self._say(f"{self.child.name} answers again after {away_s:.1f} s")
        self.ever_ready = True
        self._turn(self.state.model_copy(update={"ready": True, **self._record()}))
        self._settle(None)

    async def _start_again(self, failed: EngineError | None) -> None:
        wait_s = self._restarts.ended()
        self._turn(self.state.model_copy(update={"ready": False, **self._record()}))
        self._say(_told(self.child, failed, wait_s=wait_s))
        await self.child.stop(grace_s=END_MARGIN_S, hasty=True)
        while True:
            await asyncio.sleep(wait_s)
            try:
                self.child, state = self._nursery.start_engine(self._index)
            except OSError as err:  # no memory, no room on the disk: it may pass
                wait_s = self._restarts.ended()
                self._say(f"engine {self._index} cannot be started: {err}; again in {wait_s:.1f} s")
                continue
            self._turn(state.model_copy(update=self._record()))
            return

    def _record(self) -> dict[str, object]:
        return {"restarts": self._restarts.count, "recovery_s": self._restarts.recovery_s}

    def _turn(self, state: EngineState) -> None:
        self.state = state
        self._changed()

    def _settle(self, outcome: EngineError | None) -> None:
        if not self.settled.done():
            self.settled.set_result(outcome)


class ForeignGuard:
    """An engine that somebody else runs; the members are those of `EngineGuard`."""

    child: Child | None = None

    def __init__(
        self,
        state: EngineState,
        *,
        timeout_s: float,
        say: Say,
        changed: Changed,
        silent_s: float = FOREIGN_SILENT_S,
    ) -> None:
        self.state = state
        self._timeout_s = timeout_s
        self._silent_s = silent_s
        self._say = say
        self._changed = changed
        self.settled: asyncio.Future[EngineError | None] = asyncio.Future()
        self.ever_ready = False

    async def keep(self) -> None:
        """Ask how it is, for ever."""
        first = True
        while True:
            try:
                await until_engine_answers(self.state, None, timeout_s=self._timeout_s)
            except EngineError as err:
                if first:
                    self.settled.set_result(err)
                    return
                self._say(str(err))
                await asyncio.sleep(FOREIGN_PAUSE_S)  # it may answer at once, and wrongly
                continue
            self._turn(ready=True)
            if first:
                self.settled.set_result(None)
            else:
                self._say(f"the engine at {self.state.url} answers again")
            first = False
            await until_engine_silent(self.state, silent_s=self._silent_s)
            self._say(f"the engine at {self.state.url} does not answer")
            self._turn(ready=False)

    def _turn(self, *, ready: bool) -> None:
        self.ever_ready = self.ever_ready or ready
        self.state = self.state.model_copy(update={"ready": ready})
        self._changed()


class GatewayGuard:
    """The gateway. It takes over the same socket each time: who connects meanwhile waits in it."""

    def __init__(
        self, nursery: Nursery, listener: socket.socket, *, url: str, say: Say, changed: Changed
    ) -> None:
        self._nursery = nursery
        self._listener = listener
        self._url = url
        self._say = say
        self._changed = changed
        longest_s = min(GATEWAY_RULE.longest_s, nursery.config.restart_longest_s)
        self.restarts = Restarts(rule=replace(GATEWAY_RULE, longest_s=longest_s))
        self.child = nursery.start_gateway(listener)

    async def keep(self) -> None:
        """Keep it running, for ever; to be called when it answers for the first time."""
        self.restarts.ready()
        while True:
            silent_s = self._nursery.config.hang_timeout_s
            await _until_over(self.child, until_gateway_silent(self._url, silent_s=silent_s))
            await self._start_again()
            with contextlib.suppress(EngineError):  # it has ended again
                await until_gateway_answers(self._url, self.child)
                self._say(f"gateway answers again after {self.restarts.ready() or 0.0:.1f} s")
                self._changed()

    async def _start_again(self) -> None:
        wait_s = self.restarts.ended()
        self._say(_told(self.child, None, wait_s=wait_s))
        self.child.kill()
        await self.child.exited.wait()
        self.child.close()
        while True:
            await asyncio.sleep(wait_s)
            self._changed()  # the new one reads how often it was started
            try:
                self.child = self._nursery.start_gateway(self._listener)
            except OSError as err:
                wait_s = self.restarts.ended()
                self._say(f"gateway cannot be started: {err}; again in {wait_s:.1f} s")
                continue
            return


AnyEngine = EngineGuard | ForeignGuard
"""Both have `child`, `state`, `settled`, `ever_ready` and `keep`."""


async def _until_over(child: Child, silent: Coroutine[object, object, None]) -> None:
    """Wait until a child has ended or has fallen silent."""
    ended = asyncio.create_task(child.exited.wait())
    hung = asyncio.create_task(silent)
    try:
        await asyncio.wait((ended, hung), return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended.cancel()
        hung.cancel()


def _told(child: Child, failed: EngineError | None, *, wait_s: float) -> str:
    again = "is started again" + (f" in {wait_s:.1f} s" if wait_s else "")
    if failed is not None:
        return f"{failed}\n{child.name} {again}"
    what = "ended" if not child.alive else "does not answer any more"
    return last_words(child, f"{what} and {again}", count=3)
