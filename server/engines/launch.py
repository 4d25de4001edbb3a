"""How an engine is started: the command line, the environment, and why each flag is there.

Owns the two launch plans (real vLLM and the stand-in) and the table of kinds. Refuses to start
anything (`supervision/`). vLLM is never imported here: it is a process of its own.
To add an engine: a function that returns a `Launch`, and its line in `PLANS`.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from ...adapters.errors import EngineError, UsageError
from ..config import EngineKind, ServeConfig
from ..settings import threads_from_environment
from .facts import require_vllm
from .flags import Facts, Flag, derive_environment, derive_flags, slots

PLUGIN = "skillweave.server.vllm_plugin"
GUARD = "skillweave.server.engines.guard.Guard"
"""Around every route of the engine: vLLM itself asks for its key below a few prefixes only."""
BASE_NAME = "base"
"""The engine-side name of the base model."""

_OURS = ("model", "host", "port", "served-model-name", "api-key", "uds")
"""Flags that the supervisor sets; the user cannot."""


@dataclass(frozen=True)
class Launch:
    """One engine, ready to be started. `flags` and `variables` carry the reasons to print."""

    command: tuple[str, ...]
    env: Mapping[str, str]
    flags: tuple[Flag, ...] = ()
    variables: tuple[Flag, ...] = ()

    def explain(self) -> list[str]:
        """One line for each derived flag and variable: what it is, and why."""
        lines = [f"{' '.join(flag.words)}  ({flag.reason})" for flag in self.flags]
        return lines + [f"{flag.name}={flag.value}  ({flag.reason})" for flag in self.variables]


@dataclass(frozen=True)
class Place:
    """Where one engine lives: its port on loopback, its secret, its folder for temporary files."""

    port: int
    secret: str
    tmp: Path


def plan_vllm(config: ServeConfig, facts: Facts, place: Place) -> Launch:
    """vLLM's OpenAI server, as `python -m`: the `vllm` script does not work with the CPU build.

    The secret travels in the environment and not as `--api-key`: command lines are public.
    """
    require_plugin()
    base = str(config.base)
    flags = derive_flags(facts, config)
    variables = derive_environment(facts, config, threads=threads_from_environment())
    if Path(base).is_dir():
        offline = "the base is a folder; nothing is fetched"
        variables += tuple(
            Flag(n, "1", offline) for n in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
        )
    command = (
        *(sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", base),
        *("--served-model-name", BASE_NAME, "--host", "127.0.0.1", "--port", str(place.port)),
        *("--middleware", GUARD),
        *(word for flag in flags for word in flag.words),
        *config.engine_args,
    )
    env = {
        **os.environ,
        **{flag.name: flag.value or "" for flag in variables},
        "VLLM_API_KEY": place.secret,
        "TMPDIR": str(place.tmp),
    }
    return Launch(command, env, flags, variables)


def require_plugin() -> None:
    """Fail where vLLM would not find our plugin: without it answers can silently be wrong.

    Raises:
        EngineError: this environment has no entry point of ours.
    """
    if not any(point.module == PLUGIN for point in entry_points(group="vllm.general_plugins")):
        raise EngineError(
            f"vLLM's plugin {PLUGIN} is not registered in this environment, expected an entry "
            "point of the installed package; run `make setup` (or `pip install --no-deps -e .`)"
        )


def plan_fake(config: ServeConfig, facts: Facts, place: Place) -> Launch:
    """The stand-in of the tests: same wire, no model."""
    flags = derive_flags(facts, config)
    length = ("--max-model-len", str(config.max_model_len)) if config.max_model_len else ()
    turns = ("--max-loras", str(slots(facts, config)))
    command = (
        *(sys.executable, "-m", "skillweave.server.engines.fake", "--port", str(place.port)),
        *("--served-model-name", BASE_NAME, *length, *turns, *config.engine_args),
    )
    env = {**os.environ, "VLLM_API_KEY": place.secret, "TMPDIR": str(place.tmp)}
    return Launch(command, env, flags)


def check_engine(config: ServeConfig) -> None:
    """Refuse what can be refused before anything is started.

    Raises:
        EngineMissing: vLLM is wanted and not installed.
        UsageError: a passed-through flag would fight the supervisor.
    """
    if config.engine_url is not None:
        return
    names = {w.split("=", 1)[0].removeprefix("--").replace("_", "-") for w in config.engine_args}
    clash = sorted(names.intersection(_OURS))
    if clash:
        raise UsageError(
            f"--{clash[0]} was passed on to the engine, but `serve` sets it itself; "
            "say --base, --host and --port to `serve`"
        )
    if config.engine == "vllm":
        require_vllm()


PLANS: Mapping[EngineKind, Callable[[ServeConfig, Facts, Place], Launch]] = {
    "vllm": plan_vllm,
    "fake": plan_fake,
}
