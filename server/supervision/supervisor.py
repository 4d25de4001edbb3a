"""The parent process: starts gateway and engines as siblings, keeps them, leaves none behind.

    supervisor ── gateway (uvicorn, holds the public socket)
               └─ keeper ── engine (vLLM, on loopback, with a secret)

Owns the order of start and stop, the state file and the signals. Refuses to own HTTP (`gateway/`),
flags (`engines/`), how a child is started (`children.py`) and started again (`guards.py`), and the
end of an engine's own children (`keeper.py`). Every child holds the read end of a pipe whose write
end is here: when this process is gone, by whatever means, the pipes read EOF and the children end.
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

from ..access_plan import access_of
from ..access_settings import AccessState
from ..config import ServeConfig
from ..engines.flags import served_slots, takes_priority
from ..engines.launch import BASE_NAME, check_engine
from ..events import Event, Line, Ready
from ..gateway.publishing.scratch import KIND, remove_scratch
from ..log_files import access_file, lines_to_stdout, prepare_logs
from ..memory_folders import sweep
from ..plan import make_plan
from ..state_file import EngineState, ServerState, write_state
from .children import Nursery
from .guards import AnyEngine, EngineGuard, ForeignGuard, GatewayGuard
from .health import until_gateway_ready
from .listen import address_of, open_listener
from .process import Child
from .reaper import reap_strangers

T = TypeVar("T")

GATEWAY_MARGIN_S = 2.0
KEEPER_MARGIN_S = 8.0
"""What a keeper takes beyond the grace of its engine, to end what the engine left behind."""
RETRY_S = 1.0
"""How soon a state file that could not be written is tried again."""
REAP_S = 5.0


class Stopped(Exception):
    """SIGINT or SIGTERM came while something was being waited for."""


class Supervisor:
    """Runs one server until a signal comes or `stop` is called.

    Args:
        on_event: told about progress and readiness; called from the event loop.
        lines_fd: where the access log goes if it is to go to standard output.
    """

    def __init__(
        self, config: ServeConfig, *, on_event: Callable[[Event], None], lines_fd: int = 1
    ) -> None:
        self._config = config
        self._tell = on_event
        self._lines_fd = lines_fd
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._admin_key = config.admin_key or secrets.token_urlsafe(24)
        self._engines: list[AnyEngine] = []
        self._gateway: GatewayGuard | None = None
        self._listener: socket.socket | None = None
        self._made: Nursery | None = None
        self._access = AccessState()
        self._keeping: list[asyncio.Task[None]] = []
        self._draining = False
        self._again: asyncio.TimerHandle | None = None
        """Set while the state file cannot be written."""

    def stop(self) -> None:
        """Ask for a clean end; asked twice, everything is killed at once."""
        if self._stopping.is_set():
            self._hurry.set()
            for child in self._children():
                child.kill()
        self._stopping.set()

    async def run(self) -> None:
        """Serve until stopped.

        Raises:
            PortInUse, EngineMissing, UsageError: before anything was started.
            EngineError: no engine, or no gateway, did start.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        try:
            with contextlib.suppress(Stopped):
                await self._start()
                await self._unless_stopped(asyncio.gather(*self._keeping))
            await self._drain()
        finally:
            await self._end()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    # -- start ---------------------------------------------------------------------------------

    async def _start(self) -> None:
        began = time.monotonic()
        config = self._config
        check_engine(config)
        self._access = access_of(config)
        prepare_logs(config)
        self._listener = open_listener(config.host, config.port)
        plan = await self._unless_stopped(asyncio.to_thread(make_plan, config))
        await asyncio.to_thread(sweep, KIND)
        run_dir = Path(tempfile.mkdtemp(prefix="skillweave-"))
        # Another number: a child's own 1 and 2 are its log.
        lines_fd = os.dup(self._lines_fd) if lines_to_stdout(config) else None
        self._made = Nursery(config, plan, run_dir, lines_fd=lines_fd)
        for line in plan.lines:
            self._tell(Line(line))
        self._start_engines()
        self._write_state()
        url = address_of(self._listener, config.host)
        self._gateway = GatewayGuard(
            self._nursery, self._listener, url=url, say=self._say, changed=self._announce
        )
        ready = until_gateway_ready(url, self._gateway.child)
        await self._unless_stopped(asyncio.gather(ready, self._until_settled()))
        self._keep(self._gateway.keep())
        if os.getpid() == 1:
            self._keep(self._reap())
        seconds = round(time.monotonic() - began, 2)
        pids = (os.getpid(), *(child.pid for child in self._children()))
        self._tell(Ready(f"{url}/v1", self._admin_key, pids, seconds))

    def _start_engines(self) -> None:
        config = self._config
        if config.engine_url is not None:
            state = EngineState(url=config.engine_url, secret=config.engine_key)
            timeout_s = config.start_timeout_s
            self._engines = [
                ForeignGuard(state, timeout_s=timeout_s, say=self._say, changed=self._announce)
            ]
        else:
            for line in self._nursery.explain():
                self._tell(Line(f"  {line}"))
            for index in range(config.num_engines):  # one by one: the end must find each of them
                self._engines.append(
                    EngineGuard(self._nursery, index, say=self._say, changed=self._announce)
                )
        for engine in self._engines:
            self._keep(engine.keep())

    async def _until_settled(self) -> None:
        """Wait until each engine has answered, or failed, once; one is enough to serve.

        Raises:
            EngineError: of the first engine, where none has ever become ready.
        """
        outcomes = await asyncio.gather(*(engine.settled for engine in self._engines))
        failed = [outcome for outcome in outcomes if outcome is not None]
        if failed and not any(engine.ever_ready for engine in self._engines):
            raise failed[0]

    # -- run -----------------------------------------------------------------------------------

    def _keep(self, work: Coroutine[object, object, None]) -> None:
        self._keeping.append(asyncio.create_task(work))

    async def _reap(self) -> None:
        """As the first process of a container, collect orphans, since nobody else does."""
        while True:
            await asyncio.sleep(REAP_S)
            reap_strangers({child.pid for child in self._children()})

    async def _drain(self) -> None:
        """Say on /ready that the server is about to end, and give balancers the time to hear it."""
        if self._gateway is None or not self._gateway.child.alive or self._config.drain_s == 0:
            return
        self._draining = True
        self._announce()
        self._say(f"drains for {self._config.drain_s:g} s: /ready says no, requests are answered")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), self._config.drain_s)

    # -- end -----------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Gateway first, so that running answers can end; then the engines; then the files."""
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        grace_s = self._config.stop_timeout_s
        if self._gateway is not None:
            await self._gateway.child.stop(grace_s=grace_s + GATEWAY_MARGIN_S)
        await asyncio.gather(
            *(
                engine.child.stop(grace_s=grace_s + KEEPER_MARGIN_S, hasty=not engine.state.ready)
                for engine in self._engines
                if engine.child is not None
            )
        )
        if self._listener is not None:
            self._listener.close()
        if self._made is not None:
            remove_scratch(self._made.run_dir)
            shutil.rmtree(self._made.run_dir, ignore_errors=True)
            if self._made.lines_fd is not None:
                os.close(self._made.lines_fd)

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

    def _say(self, text: str) -> None:
        self._tell(Line(text))

    def _announce(self) -> None:
        """Write the state file and tell the gateway; where the disk is full, soon again."""
        if self._again is not None:
            self._again.cancel()
        try:
            self._write_state()
        except OSError as err:
            if self._again is None:
                self._say(f"{self._nursery.state_path} cannot be written: {err}; trying again")
            self._again = asyncio.get_running_loop().call_later(RETRY_S, self._announce)
            return
        self._again = None
        if self._gateway is not None and self._gateway.child.alive:
            self._gateway.child.poke()

    def _write_state(self) -> None:
        config, made = self._config, self._nursery
        state = ServerState(
            admin_key=self._admin_key,
            metrics_key=config.metrics_key,
            metrics_adapters=config.metrics_adapters,
            access_log=access_file(config),
            access_log_bytes=config.access_log_mb * 1024**2,
            log_level=config.log_level,
            base_name=BASE_NAME if config.engine_url is None else "",
            family=made.plan.family,
            base_label=config.base or config.engine_url or "",
            store=made.plan.store,
            skills=config.skills,
            router=config.router,
            max_lora_rank=made.plan.max_lora_rank,
            lora_slots=served_slots(made.plan.facts, config),
            takes_priority=takes_priority(config),
            admission=config.admission,
            stop_timeout_s=config.stop_timeout_s,
            run_dir=made.run_dir,
            access=self._access,
            gateway_restarts=0 if self._gateway is None else self._gateway.restarts.count,
            draining=self._draining,
            engines=tuple(engine.state for engine in self._engines),
        )
        write_state(made.state_path, state)

    def _children(self) -> list[Child]:
        every = [guard.child for guard in (self._gateway, *self._engines) if guard is not None]
        return [child for child in every if child is not None]

    @property
    def _nursery(self) -> Nursery:
        assert self._made is not None
        return self._made
