"""Requests that wait in the gateway, by the adapter that they wait for.

Owns the order inside a group (virtual finish time, then arrival) and leaving at any time without a
trace. Refuses to own which group is next (`schedule.py`).
"""

import asyncio
from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from .schedule import Group


@dataclass(frozen=True, slots=True, eq=False)
class Waiter:
    """One request that waits. `came` is on the event loop's clock; `future` gets its ticket."""

    adapter: str
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

    def remove(self, waiter: Waiter) -> bool:
        """Whether it was here."""
        if self._by_arrival.pop(waiter.number, None) is None:
            return False
        self._by_finish.remove(waiter.order)
        return True


class Waiting:
    """All queues; a queue without a request does not exist."""

    def __init__(self) -> None:
        self._queues: dict[str, Queue] = {}
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

    def groups(self) -> list[Group]:
        """The queues as the schedule sees them."""
        return [
            Group(adapter, oldest=queue.oldest.came, tag=queue.first.finish)
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
        self.num_requests += 1

    def remove(self, waiter: Waiter) -> None:
        """Leave; one that has left already is no error."""
        queue = self._queues.get(waiter.adapter)
        if queue is None or not queue.remove(waiter):
            return
        self.num_requests -= 1
        if not queue:
            del self._queues[waiter.adapter]
