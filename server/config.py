"""What can be said to `skillweave serve`: one frozen value, checked before anything starts.

Owns the fields, their defaults and the combinations that make no sense. Refuses to own flags of
the engine that it does not interpret: those travel untouched in `engine_args`.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from .access_settings import Limits, check_networks
from .admission_settings import AdmissionLimits

EngineKind = Literal["vllm", "fake"]
LogLevel = Literal["debug", "info", "warning", "error"]

ALLOWED_RANK_CAPS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The values that vLLM's `--max-lora-rank` accepts; an adapter may have any rank up to it."""


class ServeConfig(BaseModel):
    """Everything a server needs to know before it starts.

    Either `base` (we start the engine) or `engine_url` (we front one that runs) must be given;
    beside `engine_url`, `base` only says which adapters of the store belong to that engine.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    base: str | None = None
    """Folder (or hub id) of the base model."""
    store: Path | None = None
    """Root of the adapter store; None means the default store, `$SKILLWEAVE_HOME/store`."""
    skills: Path | None = None
    """Folder of SKILL.md folders, served as text where no adapter carries them."""
    router: Path | None = None
    """Saved router that answers to the model `auto`."""

    host: str = "127.0.0.1"
    """Address to listen on; beyond loopback there must be keys."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    admin_key: str | None = Field(default=None, min_length=8)
    """Key for the admin routes; None makes one."""
    keys: Path | None = None
    """File of the keys; None means the one in the store, where `keys create` has made it."""
    allow_anybody: bool = False
    """Without keys, listen beyond loopback all the same: something else guards the address."""
    admin_networks: tuple[str, ...] = ()
    """Networks beyond this machine, such as `10.0.0.0/8`, from which admin routes answer."""
    server_names: tuple[str, ...] = ()
    """Host names by which this server is known, beside addresses and localhost."""
    limits: Limits = Limits()
    """The most that one request may ask for."""
    admission: AdmissionLimits = AdmissionLimits()
    """How many requests are taken on, and how long one may wait for its adapter's turn."""

    engine: EngineKind = "vllm"
    """Which engine to start; `fake` is the stand-in of the tests."""
    engine_url: str | None = None
    """Address of an engine that we did not start, such as `http://127.0.0.1:8001`."""
    engine_key: str | None = None
    """Bearer key of that engine."""
    num_engines: int = Field(default=1, ge=1, le=64)
    """Replicas of the engine on this machine."""
    engine_args: tuple[str, ...] = ()
    """Flags handed to the engine as they are; they win over derived ones."""

    lora_slots: int | None = Field(default=None, ge=1)
    """Adapters in one batch (`--max-loras`); None derives it from the store and memory."""
    max_lora_rank: int | None = Field(default=None, ge=1, le=512)
    """Largest rank to serve; rounded up to a value that the engine accepts."""
    prefix_cache: bool = True
    """Whether the engine keeps the KV cache of shared prefixes."""
    max_model_len: int | None = Field(default=None, ge=1)
    """Longest prompt plus answer, in tokens; None leaves it to the base."""
    threads: int | None = Field(default=None, ge=1)
    """CPU threads of the engine; None means OMP_NUM_THREADS, else all cores but one."""

    log_dir: Path | None = None
    """Where logs of gateway and engines stay; None keeps them only while the server runs."""
    log_level: LogLevel = "warning"
    """What the gateway says in its own log (`gateway.log`)."""
    access_log: Literal["json", "off"] = "json"
    """One line of JSON for each request, without prompts and answers."""
    access_log_file: Path | None = None
    """Its file, `-` for standard output; None: `access.log` in log_dir, nowhere without one."""
    access_log_mb: int = Field(default=64, ge=1)
    """Size at which the file is put aside (three old ones stay)."""
    metrics_key: str | None = Field(default=None, min_length=8)
    """Bearer key for /metrics; None lets only this machine read them."""
    metrics_adapters: int = Field(default=50, ge=0, le=1000)
    """Adapters with metrics of their own; later ones share the label `other`."""

    start_timeout_s: float = Field(default=300.0, gt=0)
    """How long an engine may take to answer its first health check."""
    stop_timeout_s: float = Field(default=10.0, gt=0)
    """How long running requests and the engine get to end on their own."""
    drain_s: float = Field(default=0.0, ge=0)
    """How long /ready says no before the server ends, so that a balancer sends nothing more."""
    hang_timeout_s: float = Field(default=120.0, gt=0)
    """An engine or gateway that has not answered its health check for so long is started again."""
    restart_longest_s: float = Field(default=30.0, gt=0)
    """Longest wait before one that ends again and again is started once more."""

    @field_validator("admin_networks")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        return check_networks(networks)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.base is None and self.engine_url is None:
            raise ValueError("neither base nor engine_url is given: name a base model to serve")
        if self.engine_url is not None and (self.engine_args or self.num_engines > 1):
            raise ValueError(
                "engine_url fronts an engine that is already running: engine_args and num_engines "
                "cannot change it; pass them where that engine is started"
            )
        if self.engine_url is not None and "@" in self.engine_url:
            raise ValueError(
                "engine_url holds a user or password, which would stand in logs: leave it out and "
                "give the engine's key in SKILLWEAVE_ENGINE_KEY"
            )
        if self.engine_key is not None and self.engine_url is None:
            raise ValueError("engine_key without engine_url: an engine we start has its own secret")
        return self
