"""What a worker holds, by name, and how it lets go of it.

Upstream fact (vLLM 0.32, `lora/worker_manager.py`): a worker knows its adapters by number; their
names pass through `_load_adapter`, and only there. `remove_adapter` frees slot and host memory, and
nothing in vLLM's server calls it: an unloaded adapter stays until others push it out.

The functions run inside a worker, which they get as their first argument. Pinning keeps an adapter
in host memory, not in a slot: the scheduler counts `max_loras` adapters a batch without asking for
pinned slots, so that a batch could find none free and end the engine. For the same reason host
memory keeps room for a whole batch. Owns that bookkeeping. Refuses to own who may be let go of
(`engine_calls.py`).
"""

import functools
from typing import Any

from vllm.lora.worker_manager import WorkerLoRAManager

from .answers import Pinned

MARK = "_skillweave"


def install() -> None:
    """Remember the name of every adapter that is loaded; a second call does nothing."""
    stock = WorkerLoRAManager._load_adapter
    if hasattr(stock, MARK):
        return

    @functools.wraps(stock)
    def _load_adapter(self: Any, lora_request: Any) -> Any:
        loaded = stock(self, lora_request)
        names_of(self)[lora_request.lora_int_id] = lora_request.lora_name
        return loaded

    setattr(_load_adapter, MARK, True)
    WorkerLoRAManager._load_adapter = _load_adapter


def names_of(manager: Any) -> dict[int, str]:
    """Number -> name of all adapters that a manager ever loaded and did not let go of."""
    names: dict[int, str] = manager.__dict__.setdefault("skillweave_names", {})
    return names


def held(worker: Any) -> dict[str, list[str]]:
    """Names in batch slots, in host memory, and pinned there."""
    manager = worker.model_runner.lora_manager
    adapters = manager._adapter_manager
    in_host = set(manager.list_adapters())
    names = names_of(manager)
    for gone in names.keys() - in_host:
        del names[gone]
    return {
        "slots": _named(names, (i for i in adapters.lora_index_to_id if i is not None)),
        "host": _named(names, in_host),
        "pinned": _named(names, adapters._registered_adapters.pinned_items),
    }


def let_go(worker: Any, name: str) -> bool:
    """Free slot and host memory of every adapter loaded under a name; False where none is."""
    manager = worker.model_runner.lora_manager
    numbers = _numbers(manager, name)
    for number in numbers:
        manager.remove_adapter(number)
        names_of(manager).pop(number, None)
    return bool(numbers)


def pin(worker: Any, name: str, pinned: bool) -> Pinned:
    """Keep an adapter in host memory, or no longer. `full` where no room for a batch is left."""
    manager = worker.model_runner.lora_manager
    cache = manager._adapter_manager._registered_adapters
    numbers = _numbers(manager, name)
    if not numbers:
        return "unknown"
    if not pinned:
        cache.pinned_items.difference_update(numbers)
        return "done"
    room = manager.lora_config.max_cpu_loras - manager.lora_config.max_loras
    if len(cache.pinned_items.union(numbers)) > room:
        return "full"
    for number in numbers:
        cache.pin(number)
    return "done"


def _numbers(manager: Any, name: str) -> list[int]:
    in_host = manager.list_adapters()
    return [
        number for number, its in names_of(manager).items() if its == name and number in in_host
    ]


def _named(names: dict[int, str], numbers: Any) -> list[str]:
    return sorted({names.get(number, f"#{number}") for number in numbers})
