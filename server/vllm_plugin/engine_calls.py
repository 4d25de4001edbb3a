"""Three calls that the API server may make to the engine core: what is held, remove, pin.

Upstream fact (vLLM 0.32, `v1/engine/core.py`): `EngineCoreProc` looks a utility call up by name
with `getattr` and sends back what it returns, in order with the requests that came before; the
core's `scheduler.requests` are all requests that have not ended, waiting ones as well. So a method
more on `EngineCore` is a call more, in another process as in the same one.

An adapter in use is not removed: the next step would load it again, and end the engine where its
folder is gone. Owns that judgement. Refuses to own the bookkeeping (`residents.py`) and the routes
(`control.py`).
"""

from functools import partial
from typing import Any

from vllm.v1.engine.core import EngineCore

from . import residents
from .answers import Held, Pinned, Removed


def install() -> None:
    """Add the calls to the engine core; they are named after us, so that nothing is replaced."""
    EngineCore.skillweave_held = held
    EngineCore.skillweave_remove = remove
    EngineCore.skillweave_pin = pin


def held(self: Any) -> Held:
    """Names in slots and in host memory, and the limits; empty where LoRA is off."""
    config = self.vllm_config.lora_config
    if config is None:
        return {}
    first: dict[str, list[str]] = self.model_executor.collective_rpc(residents.held)[0]
    return {
        **first,
        "max_loras": config.max_loras,
        "max_cpu_loras": config.max_cpu_loras,
        "max_lora_rank": config.max_lora_rank,
    }


def remove(self: Any, name: str) -> Removed:
    """Free slot and host memory of a name, unless a request that has not ended uses it."""
    if self.vllm_config.lora_config is None:
        return "unknown"
    requests = self.scheduler.requests.values()
    if any(r.lora_request is not None and r.lora_request.lora_name == name for r in requests):
        return "busy"
    found = self.model_executor.collective_rpc(partial(_let_go, name=name))
    return "done" if any(found) else "unknown"


def pin(self: Any, name: str, pinned: bool) -> Pinned:
    """Keep a name in host memory, or no longer."""
    if self.vllm_config.lora_config is None:
        return "unknown"
    told: list[Pinned] = self.model_executor.collective_rpc(partial(_pin, name=name, pinned=pinned))
    return told[0]


def _let_go(worker: Any, *, name: str) -> bool:
    return residents.let_go(worker, name)


def _pin(worker: Any, *, name: str, pinned: bool) -> Pinned:
    return residents.pin(worker, name, pinned)
