"""How vLLM lets adapters take turns, without a model: for the stand-in and for tests.

A batch holds requests of at most `max_loras` adapters. Whoever waits is let in by priority, then
by arrival, if its adapter is among those that are running or fewer than `max_loras` are; the others
are passed over, for as long as it takes. An adapter that comes in takes the slot of the one that
was used longest ago; one that has left host memory, too, is read from its folder again. Both are
counted, and take time.
Owns this imitation (vllm/v1/core/sched/scheduler.py and lora/worker_manager.py of 0.32). Refuses to
know requests.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class FakeSlots:
    """`swaps` counts adapters put into a slot, `reads` those that were in host memory no more.

    Args:
        max_loras: slots of a batch.
        max_cpu_loras: adapters in host memory.
        max_running: requests in a batch.
        swap_s: what putting an adapter into a slot takes.
        read_s: what reading its folder takes.
    """

    max_loras: int = 4
    max_cpu_loras: int = 8
    max_running: int = 256
    swap_s: float = 0.0
    read_s: float = 0.0
    swaps: int = 0
    reads: int = 0
    most_adapters: int = 0
    """The most adapters that were running or waited for at once."""
    slots: dict[str, None] = field(default_factory=dict)
    """Names in slots, least recently used first."""
    host: dict[str, None] = field(default_factory=dict)
    running: Counter[str] = field(default_factory=Counter)
    _waiting: list[tuple[int, int, str, "asyncio.Future[None]"]] = field(default_factory=list)
    _arrivals: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def waiting_names(self) -> set[str]:
        """Adapters that are waited for."""
        return {entry[2] for entry in self._waiting}

    @asynccontextmanager
    async def hold(self, name: str, *, priority: int = 0) -> AsyncIterator[None]:
        """Be in the batch while the body runs."""
        turn = asyncio.get_running_loop().create_future()
        entry = (priority, next(self._arrivals), name, turn)
        self._waiting.append(entry)
        self._waiting.sort(key=lambda each: each[:2])
        self.most_adapters = max(self.most_adapters, len(self.waiting_names | {*self.running}))
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            if entry in self._waiting:
                self._waiting.remove(entry)
            else:
                self._leave(name)
            raise
        try:
            await asyncio.sleep(self.touch(name))
            yield
        finally:
            self._leave(name)

    def touch(self, name: str) -> float:
        """Put an adapter into host memory and a slot; how long that takes."""
        cost_s = 0.0
        if name not in self.host:
            self.reads += 1
            cost_s += self.read_s
        if name not in self.slots:
            self.swaps += 1
            cost_s += self.swap_s
        _use(self.host, name, most=self.max_cpu_loras, keep=self.running)
        _use(self.slots, name, most=self.max_loras, keep=self.running)
        return cost_s

    def remove(self, name: str) -> None:
        """Forget an adapter."""
        self.slots.pop(name, None)
        self.host.pop(name, None)

    def _leave(self, name: str) -> None:
        self.running[name] -= 1
        if not self.running[name]:
            del self.running[name]
        self._let_in()

    def _let_in(self) -> None:
        for entry in list(self._waiting):
            name = entry[2]
            if self.running.total() >= self.max_running:
                return
            if name in self.running or len(self.running) < self.max_loras:
                self._waiting.remove(entry)
                if not entry[3].cancelled():
                    self.running[name] += 1
                    entry[3].set_result(None)


def _use(cache: dict[str, None], name: str, *, most: int, keep: Counter[str]) -> None:
    """Make `name` the youngest, and drop the oldest of those that are not running."""
    cache.pop(name, None)
    cache[name] = None
    while len(cache) > most:
        oldest = next((each for each in cache if not keep[each] and each != name), None)
        if oldest is None:
            return
        del cache[oldest]
