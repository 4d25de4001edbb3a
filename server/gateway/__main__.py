"""The gateway process: `python -m skillweave.server.gateway --state FILE ...`.

Started by the supervisor, which hands it the public socket and one end of a pipe. A byte on the
pipe says that the state file has changed; EOF says that the supervisor is gone, and then the
gateway ends, too.
"""

import argparse
import asyncio
import logging
import os
import shutil
import socket
from collections.abc import Coroutine
from pathlib import Path

import uvicorn
import uvloop

from ..engines.client import open_session
from ..state_file import ServerState, read_state
from .app import create_app
from .bounded_http import bounded_http
from .models.selector import current_path, load_selector
from .quiet import quiet_logging, quiet_loop
from .service import Service
from .sums.composer import warm
from .telemetry.telemetry import Telemetry

log = logging.getLogger(__name__)

IDLE_S = 75
"""How long a connection may lie idle. Longer than clients keep theirs (`openai` 5 s, aiohttp 15 s):
who closes first decides whether a request can meet a closed connection."""


class Gateway:
    """One run of the gateway; `orphaned` is set when the supervisor has vanished."""

    def __init__(self, state_file: Path) -> None:
        self._state_file = state_file
        self._tasks: set[asyncio.Task[None]] = set()
        self.orphaned = False

    async def run(
        self, state: ServerState, *, listen_fd: int, lifeline_fd: int, telemetry: Telemetry
    ) -> None:
        """Serve until SIGTERM or EOF."""
        asyncio.get_running_loop().set_exception_handler(quiet_loop)
        async with open_session() as session:
            path = current_path(state)
            selector = None if path is None else load_selector(path, state)
            service = Service(state, session, selector=selector, telemetry=telemetry)
            config = uvicorn.Config(
                create_app(service),
                http=bounded_http(state.access.limits),
                ws="none",
                proxy_headers=False,  # an address is that of the connection, not what a header says
                log_config=None,  # everything is written as `quiet.py` says
                log_level="error",  # a warning is what any client can cause, as often as it likes
                access_log=False,
                lifespan="off",
                timeout_keep_alive=IDLE_S,
                timeout_graceful_shutdown=max(1, round(state.stop_timeout_s)),
            )
            server = uvicorn.Server(config)
            self._listen_to_supervisor(lifeline_fd, service, server)
            self._begin(service.follow(state))
            self._begin(asyncio.to_thread(warm))
            try:
                await server.serve(sockets=[socket.socket(fileno=listen_fd)])
            finally:
                await service.close()
                if self.orphaned:
                    service.publishing.scratch.remove()

    def _listen_to_supervisor(self, fd: int, service: Service, server: uvicorn.Server) -> None:
        loop = asyncio.get_running_loop()

        def heard() -> None:
            if os.read(fd, 4096):
                self._begin(service.follow(read_state(self._state_file)))
                return
            loop.remove_reader(fd)
            self.orphaned = True
            server.should_exit = True

        loop.add_reader(fd, heard)

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def main() -> None:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(prog="skillweave.server.gateway")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--listen-fd", type=int, required=True)
    parser.add_argument("--lifeline-fd", type=int, required=True)
    parser.add_argument("--lines-fd", type=int, help="where the access log goes without a file")
    options = parser.parse_args()
    state = read_state(options.state)
    quiet_logging(state.log_level)
    gateway = Gateway(options.state)
    telemetry = Telemetry(
        access_log=state.access_log or options.lines_fd,
        log_bytes=state.access_log_bytes,
        max_adapters=state.metrics_adapters,
    )
    work = gateway.run(
        state, listen_fd=options.listen_fd, lifeline_fd=options.lifeline_fd, telemetry=telemetry
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)
    telemetry.close()
    if gateway.orphaned and state.run_dir is not None:
        shutil.rmtree(state.run_dir, ignore_errors=True)


if __name__ == "__main__":
    main()
