"""How the supervisor's children are started: a keeper with its engine, and the gateway.

Owns their command lines, environments, pipes and log files. Refuses to own when they are started,
watched and ended (`supervisor.py`).
"""

import os
import secrets
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from ..config import ServeConfig
from ..engines.launch import PLANS, Place
from ..plan import Plan
from ..settings import without_secrets
from ..state_file import EngineState
from .listen import free_port
from .process import Child, start_time

KEEPER = Path(__file__).with_name("keeper.py")
STATE_NAME = "state.json"


@dataclass(frozen=True)
class Nursery:
    """What every child is made from. `run_dir` is removed when the server ends.

    `lines_fd` is an open descriptor for the access log; None where that has a file or is off.
    """

    config: ServeConfig
    plan: Plan
    run_dir: Path
    lines_fd: int | None = None

    @property
    def state_path(self) -> Path:
        """Where the state file is."""
        return self.run_dir / STATE_NAME

    def log(self, name: str) -> Path:
        """A child's log file."""
        return (self.config.log_dir or self.run_dir) / f"{name}.log"

    def start_engine(self, index: int) -> tuple[Child, EngineState]:
        """A keeper with an engine below it, on a new port and with a new secret."""
        place = Place(free_port(), secrets.token_urlsafe(24), self.run_dir / f"e{index}")
        place.tmp.mkdir(exist_ok=True)
        launch = PLANS[self.config.engine](self.config, self.plan.facts, place)
        lifeline = os.pipe()
        keeper = (
            *(sys.executable, "-I", "-S", str(KEEPER), "--fd", str(lifeline[0])),
            *("--grace", str(self.config.stop_timeout_s), "--remove", str(place.tmp)),
            *("--orphan-remove", str(self.run_dir), "--", *launch.command),
        )
        log = self.log(f"engine-{index}")
        env = without_secrets(launch.env)
        child = Child.start(f"engine {index}", keeper, lifeline=lifeline, log=log, env=env)
        url = f"http://127.0.0.1:{place.port}"
        started = start_time(child.pid)
        return child, EngineState(url=url, secret=place.secret, pid=child.pid, started=started)

    def start_gateway(self, listener: socket.socket) -> Child:
        """A gateway that takes over the public socket, and our standard output for its lines."""
        lifeline = os.pipe()
        fds = (listener.fileno(), *(() if self.lines_fd is None else (self.lines_fd,)))
        command = (
            *(sys.executable, "-m", "skillweave.server.gateway", "--state", str(self.state_path)),
            *("--listen-fd", str(fds[0]), "--lifeline-fd", str(lifeline[0])),
            *(() if self.lines_fd is None else ("--lines-fd", str(self.lines_fd))),
        )
        env = without_secrets(os.environ)
        log = self.log("gateway")
        return Child.start("gateway", command, lifeline=lifeline, log=log, env=env, pass_fds=fds)

    def explain(self) -> list[str]:
        """The engine's flags and variables with their reasons."""
        place = Place(0, "", self.run_dir)
        return PLANS[self.config.engine](self.config, self.plan.facts, place).explain()
