"""The parent process: starts gateway and engines as siblings, restarts them, leaves none behind.

    supervisor ── gateway (uvicorn, holds the public socket)
               └─ keeper ── engine (vLLM, on loopback, with a secret)

Owns the order of start and stop, restarts, the state file and the signals. Refuses to own HTTP
(`gateway/`), flags (`engines/`), how a child is started (`children.py`) and the end of an engine's
own children (`keeper.py`). Every child holds the read end of a pipe whose write end is here: when
this process is gone, by whatever means, the pipes read EOF and the children end.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

from ..adapters.errors import EngineError
from .children import Nursery
from .config import ServeConfig
from .engines.launch import BASE_NAME, check_engine
from .events import Event, Line, Ready
from .health import last_words, until_engine_answers, until_gateway_ready
from .listen import address_of, open_listener
from .plan import make_plan
from .process import Child
from .state_file import EngineState, ServerState, write_state

T = TypeVar("T")

MAX_RESTARTS = 5
RESTART_WINDOW_S = 120.0
GATEWAY_MARGIN_S = 2.0
KEEPER_MARGIN_S = 8.0
"""What a keeper takes beyond the grace of its engine, to end what the engine left behind."""


class Stopped(Exception):
    """SIGINT or SIGTERM came while something was being waited for."""


class Supervisor:
    """Runs one server until a signal comes, `stop` is called, or it gives up.

    Args:
        on_event: told about progress and readiness; called from the event loop.
    """

    def __init__(self, config: ServeConfig, *, on_event: Callable[[Event], None]) -> None:
        self._config = config
        self._tell = on_event
        self._stopping = asyncio.Event()
        self._admin_key = config.admin_key or secrets.token_urlsafe(24)
        self._engines: list[Child | None] = []
        self._states: list[EngineState] = []
        self._gateway: Child | None = None
        self._listener: socket.socket | None = None
        self._made: Nursery | None = None
        self._restarts: list[float] = []

    def stop(self) -> None:
        """Ask for a clean end; asked twice, everything is killed at once."""
        if self._stopping.is_set():
            for child in self._children():
                child.kill()
        self._stopping.set()

    async def run(self) -> None:
        """Serve until stopped.

        Raises:
            PortInUse, EngineMissing, UsageError: before anything was started.
            EngineError: an engine or the gateway did not start, or kept dying.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        try:
            with contextlib.suppress(Stopped):
                await self._start()
                await self._watch()
        finally:
            await self._end()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    # -- start ---------------------------------------------------------------------------------

    async def _start(self) -> None:
        began = time.monotonic()
        config = self._config
        check_engine(config)
        self._listener = open_listener(config.host, config.port)
        plan = await self._unless_stopped(asyncio.to_thread(make_plan, config))
        if config.log_dir is not None:
            config.log_dir.mkdir(parents=True, exist_ok=True)
        self._made = Nursery(config, plan, Path(tempfile.mkdtemp(prefix="skillweave-")))
        for line in plan.lines:
            self._tell(Line(line))
        self._start_engines()
        self._write_state()
        self._gateway = self._nursery.start_gateway(self._listener)
        url = address_of(self._listener, config.host)
        waits = [until_gateway_ready(url, self._gateway)]
        waits += [self._until_healthy(index) for index in range(self._count)]
        await self._unless_stopped(asyncio.gather(*waits))
        seconds = round(time.monotonic() - began, 2)
        pids = (os.getpid(), *(child.pid for child in self._children()))
        self._tell(Ready(f"{url}/v1", self._admin_key, pids, seconds))

    def _start_engines(self) -> None:
        config = self._config
        if config.engine_url is not None:
            self._engines = [None]
            self._states = [EngineState(url=config.engine_url, secret=config.engine_key)]
            return
        for line in self._nursery.explain():
            self._tell(Line(f"  {line}"))
        for index in range(config.num_engines):
            child, state = self._nursery.start_engine(index)
            self._engines.append(child)
            self._states.append(state)

    async def _until_healthy(self, index: int) -> None:
        """Wait for an engine, then tell the gateway about it."""
        state, timeout_s = self._states[index], self._config.start_timeout_s
        await until_engine_answers(state, self._engines[index], timeout_s=timeout_s)
        self._states[index] = state.model_copy(update={"ready": True})
        self._announce()

    # -- run -----------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Start again what has ended, until too many have in a short time."""
        guards = (self._guard_engine(index) for index in range(self._count))
        await self._unless_stopped(asyncio.gather(self._guard_gateway(), *guards))

    async def _guard_gateway(self) -> None:
        while self._gateway is not None and self._listener is not None:
            await self._gateway.exited.wait()
            self._count_restart(self._gateway)
            self._gateway.close()
            self._gateway = self._nursery.start_gateway(self._listener)

    async def _guard_engine(self, index: int) -> None:
        while (child := self._engines[index]) is not None:
            await child.exited.wait()
            self._count_restart(child)
            child.kill()
            child.close()
            child, self._states[index] = self._nursery.start_engine(index)
            self._engines[index] = child
            self._announce()
            try:
                await self._until_healthy(index)
            except EngineError as err:  # its end is counted when this loop comes around
                self._tell(Line(str(err)))
                child.kill()

    def _count_restart(self, child: Child) -> None:
        now = time.monotonic()
        recent = [moment for moment in self._restarts if now - moment < RESTART_WINDOW_S]
        self._restarts = [*recent, now]
        if len(self._restarts) > MAX_RESTARTS:
            raise EngineError(last_words(child, f"ended {len(self._restarts)} times in a row"))
        self._tell(Line(last_words(child, "ended and is started again", count=3)))

    # -- end -----------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Gateway first, so that running answers can end; then the engines; then the files."""
        grace_s = self._config.stop_timeout_s
        if self._gateway is not None:
            await self._gateway.stop(grace_s=grace_s + GATEWAY_MARGIN_S)
        await asyncio.gather(
            *(
                child.stop(grace_s=grace_s + KEEPER_MARGIN_S, hasty=not state.ready)
                for child, state in zip(self._engines, self._states, strict=True)
                if child is not None
            )
        )
        if self._listener is not None:
            self._listener.close()
        if self._made is not None:
            shutil.rmtree(self._made.run_dir, ignore_errors=True)

    # -- small things --------------------------------------------------------------------------

    async def _unless_stopped(self, work: "Coroutine[object, object, T] | asyncio.Future[T]") -> T:
        """Await `work`, or raise `Stopped` when a signal comes first."""
        task = asyncio.ensure_future(work)
        stop = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([task, stop], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise Stopped
        return task.result()

    def _announce(self) -> None:
        """Write the state file and tell the gateway."""
        self._write_state()
        if self._gateway is not None and self._gateway.alive:
            self._gateway.poke()

    def _write_state(self) -> None:
        config, made = self._config, self._nursery
        state = ServerState(
            admin_key=self._admin_key,
            base_name=BASE_NAME if config.engine_url is None else "",
            family=made.plan.family,
            base_label=config.base or config.engine_url or "",
            store=made.plan.store,
            skills=config.skills,
            router=config.router,
            max_lora_rank=made.plan.max_lora_rank,
            stop_timeout_s=config.stop_timeout_s,
            run_dir=made.run_dir,
            engines=tuple(self._states),
        )
        write_state(made.state_path, state)

    def _children(self) -> list[Child]:
        every = [self._gateway, *self._engines]
        return [child for child in every if child is not None]

    @property
    def _count(self) -> int:
        return len(self._engines)

    @property
    def _nursery(self) -> Nursery:
        assert self._made is not None
        return self._made
