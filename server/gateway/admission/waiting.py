"""Requests that wait in the gateway, by the adapter that they wait for.

Inside a group the order is by virtual finish time, then by arrival. A group weighs as much as its
requests have waited together, so that many who wait go before one, and one who has waited long
before many who have just come; each tenant's requests count by the share that they are of all
that wait for this tenant, so that nobody gains by asking more often:

    weight = sum over tenants of (seconds waited by its requests here) / (its requests everywhere)

Owns these orders, and leaving at any time without a trace. Refuses to own which group is next
(`schedule.py`).
"""

import asyncio
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .schedule import Group


@dataclass(frozen=True, slots=True, eq=False)
class Waiter:
    """One request that waits. `came` is on the event loop's clock; `future` gets its ticket."""

    adapter: str
    tenant: str
    came: float
    number: int
    finish: float
    reason: str
    future: "asyncio.Future[object]" = field(repr=False)

    @property
    def order(self) -> tuple[float, int]:
        return self.finish, self.number


class Queue:
    """The requests for one adapter."""

    def __init__(self) -> None:
        self._by_arrival: dict[int, Waiter] = {}
        self._by_finish: list[tuple[float, int]] = []
        self._num: Counter[str] = Counter()
        self._came: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._by_arrival)

    @property
    def oldest(self) -> Waiter:
        return next(iter(self._by_arrival.values()))

    @property
    def first(self) -> Waiter:
        return self._by_arrival[self._by_finish[0][1]]

    def add(self, waiter: Waiter) -> None:
        self._by_arrival[waiter.number] = waiter
        insort(self._by_finish, waiter.order)
        self._num[waiter.tenant] += 1
        self._came[waiter.tenant] = self._came.get(waiter.tenant, 0.0) + waiter.came

    def remove(self, waiter: Waiter) -> bool:
        """Whether it was here."""
        if self._by_arrival.pop(waiter.number, None) is None:
            return False
        del self._by_finish[bisect_left(self._by_finish, waiter.order)]
        self._num[waiter.tenant] -= 1
        self._came[waiter.tenant] -= waiter.came
        if not self._num[waiter.tenant]:
            del self._num[waiter.tenant], self._came[waiter.tenant]
        return True

    def weight(self, now: float, everywhere: Mapping[str, int]) -> float:
        """What its requests weigh together; `everywhere` counts the waiting ones of each tenant."""
        return sum(
            (num * now - self._came[tenant]) / everywhere[tenant]
            for tenant, num in self._num.items()
        )


class Waiting:
    """All queues; a queue without a request does not exist."""

    def __init__(self) -> None:
        self._queues: dict[str, Queue] = {}
        self._by_tenant: Counter[str] = Counter()
        self.num_requests = 0

    def __bool__(self) -> bool:
        return self.num_requests > 0

    def __contains__(self, adapter: str) -> bool:
        return adapter in self._queues

    @property
    def adapters(self) -> tuple[str, ...]:
        """What is waited for."""
        return tuple(self._queues)

    def __iter__(self) -> Iterator[Waiter]:
        for queue in self._queues.values():
            yield from queue._by_arrival.values()

    def groups(self, now: float) -> list[Group]:
        """The queues as the schedule sees them."""
        return [
            Group(adapter, queue.oldest.came, weight=queue.weight(now, self._by_tenant))
            for adapter, queue in self._queues.items()
        ]

    def oldest(self, adapter: str) -> Waiter:
        """The one that has waited longest."""
        return self._queues[adapter].oldest

    def first(self, adapter: str) -> Waiter:
        """The one whose turn is next."""
        return self._queues[adapter].first

    def add(self, waiter: Waiter) -> None:
        """Join the queue of an adapter."""
        self._queues.setdefault(waiter.adapter, Queue()).add(waiter)
        self._by_tenant[waiter.tenant] += 1
        self.num_requests += 1

    def remove(self, waiter: Waiter) -> None:
        """Leave; one that has left already is no error."""
        queue = self._queues.get(waiter.adapter)
        if queue is None or not queue.remove(waiter):
            return
        self.num_requests -= 1
        self._by_tenant[waiter.tenant] -= 1
        if not self._by_tenant[waiter.tenant]:
            del self._by_tenant[waiter.tenant]
        if not queue:
            del self._queues[waiter.adapter]
