"""The state file: what a gateway needs in order to serve, and to take over running engines.

The supervisor writes it, a gateway reads it at its start and whenever it is poked. It holds
secrets, so only its owner may read it. Owns the format and the atomic write. Refuses to own when
it changes.
"""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ..adapters.errors import EngineError
from .access_settings import AccessState
from .admission_settings import AdmissionLimits
from .supervision.process import start_time


class EngineState(BaseModel):
    """One engine. `pid` and `started` are None for an engine that we did not start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    secret: str | None = None
    pid: int | None = None
    started: int | None = None
    ready: bool = False
    restarts: int = 0
    recovery_s: float | None = None
    """From its last end until it was ready again."""

    @property
    def alive(self) -> bool:
        """Whether the process is still the one that was written down."""
        return self.pid is None or start_time(self.pid) == self.started


class ServerState(BaseModel):
    """Everything a gateway is told; `family` is the base's digest, `base_name` its name there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    admin_key: str
    metrics_key: str | None = None
    metrics_adapters: int = 50
    access_log: Path | None = None
    access_log_bytes: int = 64 * 1024**2
    log_level: str = "warning"
    base_name: str
    family: str | None = None
    base_label: str = ""
    store: Path | None = None
    skills: Path | None = None
    router: Path | None = None
    max_lora_rank: int | None = None
    lora_slots: int | None = None
    takes_priority: bool = False
    admission: AdmissionLimits = AdmissionLimits()
    stop_timeout_s: float = 10.0
    run_dir: Path | None = None
    gateway_restarts: int = 0
    draining: bool = False
    """The server is about to end: it answers, but wants no new clients."""
    engines: tuple[EngineState, ...] = ()
    access: AccessState = AccessState()


def write_state(path: Path, state: ServerState) -> None:
    """Replace the state file in one step; readable by its owner only."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as sink:
        sink.write(state.model_dump_json(indent=1))
    part.replace(path)


def read_state(path: Path) -> ServerState:
    """Read what `write_state` wrote.

    Raises:
        EngineError: there is no such file; the supervisor is gone.
    """
    try:
        return ServerState.model_validate_json(path.read_text())
    except FileNotFoundError as err:
        raise EngineError(
            f"state file {path} does not exist: the supervisor that wrote it has ended; "
            "start again with `skillweave serve`"
        ) from err
