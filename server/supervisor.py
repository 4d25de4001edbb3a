"""The parent process: starts gateway and engines as siblings, restarts them, leaves none behind.

    supervisor ── gateway (uvicorn, holds the public socket)
               └─ keeper ── engine (vLLM, on loopback, with a secret)

Owns the order of start and stop, restarts, the state file and the signals. Refuses to own HTTP
(`gateway/`), flags (`engines/`) and the end of an engine's own children (`keeper.py`).
Every child holds the read end of a pipe whose write end is here: when this process is gone, by
whatever means, the pipes read EOF and the children end.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

from ..adapters.errors import EngineError
from .config import ServeConfig
from .engines.client import EngineClient, open_session
from .engines.launch import BASE_NAME, PLANS, Launch, Place, check_engine
from .events import Event, Line, Ready
from .listen import address_of, free_port, open_listener
from .plan import Plan, make_plan
from .process import Child, start_time
from .state_file import EngineState, ServerState, write_state

T = TypeVar("T")

POLL_S = 0.1
DYING_S = 5.0
"""How long an engine that failed its first request gets to end, before its log is read."""
MAX_RESTARTS = 5
RESTART_WINDOW_S = 120.0
KEEPER_MARGIN_S = 8.0
"""What a keeper takes beyond the grace of its engine, to end what the engine left behind."""
KEEPER = Path(__file__).with_name("keeper.py")
STATE_NAME = "state.json"


class Stopped(Exception):
    """SIGINT or SIGTERM came while something was being waited for."""


class Supervisor:
    """Runs one server until a signal comes, `stop` is called, or it gives up.

    Args:
        on_event: told about progress, readiness; called from the event loop.
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
        self._run_dir: Path | None = None
        self._plan = Plan()
        self._restarts: list[float] = []
        self._began = time.monotonic()

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
        check_engine(self._config)
        self._listener = open_listener(self._config.host, self._config.port)
        self._plan = await self._unless_stopped(asyncio.to_thread(make_plan, self._config))
        for line in self._plan.lines:
            self._tell(Line(line))
        self._run_dir = Path(tempfile.mkdtemp(prefix="skillweave-"))
        if self._config.log_dir is not None:
            self._config.log_dir.mkdir(parents=True, exist_ok=True)
        if self._config.engine_url is not None:
            url, key = self._config.engine_url, self._config.engine_key
            self._engines, self._states = [None], [EngineState(url=url, secret=key)]
        else:
            self._engines = [None] * self._config.num_engines
            self._states = [self._start_engine(i) for i in range(self._config.num_engines)]
            self._explain()
        self._write_state()
        self._start_gateway()
        await self._unless_stopped(
            asyncio.gather(*(self._until_healthy(i) for i in range(len(self._states))))
        )
        await self._unless_stopped(self._until_gateway_ready())
        seconds = time.monotonic() - self._began
        pids = (os.getpid(), *(child.pid for child in self._children()))
        self._tell(Ready(f"{self._url()}/v1", self._admin_key, pids, round(seconds, 2)))

    def _start_engine(self, index: int) -> EngineState:
        place = Place(free_port(), secrets.token_urlsafe(24), self._dir() / f"e{index}")
        place.tmp.mkdir(exist_ok=True)
        launch = self._launch(place)
        lifeline = os.pipe()
        keeper = (
            *(sys.executable, "-I", "-S", str(KEEPER), "--fd", str(lifeline[0])),
            *("--grace", str(self._config.stop_timeout_s), "--remove", str(place.tmp)),
            *("--orphan-remove", str(self._dir()), "--", *launch.command),
        )
        log = self._log(f"engine-{index}")
        child = Child.start(f"engine {index}", keeper, lifeline=lifeline, log=log, env=launch.env)
        self._engines[index] = child
        return EngineState(
            url=f"http://127.0.0.1:{place.port}",
            secret=place.secret,
            pid=child.pid,
            started=start_time(child.pid),
        )

    def _launch(self, place: Place) -> Launch:
        return PLANS[self._config.engine](self._config, self._plan.facts, place)

    def _explain(self) -> None:
        for line in self._launch(Place(0, "", self._dir())).explain():
            self._tell(Line(f"  {line}"))

    def _start_gateway(self) -> None:
        assert self._listener is not None
        lifeline = os.pipe()
        fd = self._listener.fileno()
        command = (
            *(sys.executable, "-m", "skillweave.server.gateway"),
            *("--state", str(self._dir() / STATE_NAME)),
            *("--listen-fd", str(fd), "--lifeline-fd", str(lifeline[0])),
        )
        self._gateway = Child.start(
            "gateway",
            command,
            lifeline=lifeline,
            log=self._log("gateway"),
            env=os.environ,
            pass_fds=(fd,),
        )

    async def _until_healthy(self, index: int) -> None:
        """Wait for an engine's first healthy answer, then tell the gateway about it."""
        state, child = self._states[index], self._engines[index]
        deadline = time.monotonic() + self._config.start_timeout_s
        async with open_session() as session:
            client = EngineClient(state.url, secret=state.secret, session=session)
            while not await client.healthy():
                if child is not None and not child.alive:
                    raise EngineError(_died(child, "did not start"))
                if time.monotonic() > deadline:
                    raise EngineError(self._silent(state.url, child))
                await asyncio.sleep(POLL_S)
            await self._try_out(client, child)
        self._states[index] = state.model_copy(update={"ready": True})
        self._announce()

    async def _try_out(self, client: EngineClient, child: Child | None) -> None:
        if child is None:  # an engine of somebody else's is only asked what it serves
            await client.models()
            return
        try:
            await client.try_out(BASE_NAME)
        except EngineError as err:
            with contextlib.suppress(TimeoutError):  # a dying engine still writes its reason
                await asyncio.wait_for(child.exited.wait(), DYING_S)
            raise EngineError(f"{err}\n{_died(child, 'failed its first request')}") from err

    async def _until_gateway_ready(self) -> None:
        async with open_session() as session:
            while not self._stopping.is_set():
                gateway = self._gateway
                assert gateway is not None
                if not gateway.alive:
                    raise EngineError(_died(gateway, "did not start"))
                with contextlib.suppress(OSError):
                    async with session.get(f"{self._url()}/ready") as reply:
                        if reply.status == 200:
                            return
                await asyncio.sleep(POLL_S)

    # -- run -----------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Start again what has ended, until too many have in a short time."""
        guards = (self._guard_engine(index) for index in range(len(self._engines)))
        await self._unless_stopped(asyncio.gather(self._guard_gateway(), *guards))

    async def _guard_gateway(self) -> None:
        while self._gateway is not None:
            await self._gateway.exited.wait()
            self._count_restart(self._gateway)
            self._gateway.close()
            self._start_gateway()

    async def _guard_engine(self, index: int) -> None:
        while (child := self._engines[index]) is not None:
            await child.exited.wait()
            self._count_restart(child)
            child.kill()
            child.close()
            self._states[index] = self._start_engine(index)
            self._announce()
            try:
                await self._until_healthy(index)
            except EngineError as err:  # its end is counted when this loop comes around
                self._tell(Line(str(err)))
                self._engine(index).kill()

    def _count_restart(self, child: Child) -> None:
        now = time.monotonic()
        recent = [moment for moment in self._restarts if now - moment < RESTART_WINDOW_S]
        self._restarts = [*recent, now]
        if len(self._restarts) > MAX_RESTARTS:
            raise EngineError(_died(child, f"ended {len(self._restarts)} times in a short while"))
        self._tell(Line(_died(child, "ended and is started again", count=3)))

    # -- end -----------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Gateway first, so that running answers can end; then the engines; then the files."""
        grace_s = self._config.stop_timeout_s
        if self._gateway is not None:
            await self._gateway.stop(grace_s=grace_s + 2.0)
        await asyncio.gather(
            *(
                child.stop(grace_s=grace_s + KEEPER_MARGIN_S, hasty=not state.ready)
                for child, state in zip(self._engines, self._states, strict=False)
                if child is not None
            )
        )
        if self._listener is not None:
            self._listener.close()
        if self._run_dir is not None:
            shutil.rmtree(self._run_dir, ignore_errors=True)

    def _announce(self) -> None:
        """Write the state file and tell the gateway."""
        self._write_state()
        if self._gateway is not None and self._gateway.alive:
            self._gateway.poke()

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

    def _write_state(self) -> None:
        config, plan = self._config, self._plan
        state = ServerState(
            admin_key=self._admin_key,
            base_name=BASE_NAME if config.engine_url is None else "",
            family=plan.family,
            base_label=config.base or config.engine_url or "",
            store=plan.store,
            skills=config.skills,
            router=config.router,
            max_lora_rank=plan.max_lora_rank,
            stop_timeout_s=config.stop_timeout_s,
            run_dir=self._dir(),
            engines=tuple(self._states),
        )
        write_state(self._dir() / STATE_NAME, state)

    def _engine(self, index: int) -> Child:
        child = self._engines[index]
        assert child is not None
        return child

    def _children(self) -> list[Child]:
        every = [self._gateway, *self._engines]
        return [child for child in every if child is not None]

    def _dir(self) -> Path:
        assert self._run_dir is not None
        return self._run_dir

    def _log(self, name: str) -> Path:
        return (self._config.log_dir or self._dir()) / f"{name}.log"

    def _url(self) -> str:
        assert self._listener is not None
        return address_of(self._listener, self._config.host)

    def _silent(self, url: str, child: Child | None) -> str:
        seconds = f"{self._config.start_timeout_s:g} s"
        if child is None:
            return f"no engine answers at {url} after {seconds}; is it running, is the URL right?"
        return _died(child, f"did not answer within {seconds}")


def _died(child: Child, what: str, *, count: int = 15) -> str:
    code = child.popen.poll()
    status = "" if code is None else f" (exit status {code})"
    last = child.last_lines(count)
    return f"{child.name} {what}{status}. " + (f"Its last lines:\n{last}" if last else "No output.")
