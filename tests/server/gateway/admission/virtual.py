"""Virtual time, and a pool that stands still: what the tests of admission stand on.

In virtual time every sleep is over at once and the clock jumps to its end: a test of quanta and
deadlines runs in milliseconds, and the same every time.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Sequence
from typing import TypeVar

from skillweave.server.engines.client import EngineClient
from skillweave.server.gateway.admission.lanes import Book
from skillweave.server.gateway.pool.health import Event

T = TypeVar("T")


class JumpingSelector(selectors.SelectSelector):
    """Waits for nothing: remembers for how long it should have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found:
            assert timeout is not None, "everything waits, and nothing will ever happen"
            self.now += max(timeout, 0.0)
        return found


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_virtually(work: Coroutine[object, object, T]) -> T:
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work)


class Shown:
    """A member as the gauges read it."""

    def __init__(self, book: Book) -> None:
        self.client, self.book = book.client, book
        self.standing, self.draining = "up", False


class StillPool:
    """Engines that are always there; no network."""

    def __init__(self, slots: Sequence[int | None], *, takes_priority: bool = True) -> None:
        self.open: tuple[Book, ...] = tuple(
            Book(
                EngineClient(f"http://engine-{n}", secret=None, session=None),  # type: ignore[arg-type]
                slots=number,
                takes_priority=takes_priority,
            )
            for n, number in enumerate(slots)
        )
        self.members = tuple(map(Shown, self.open))
        self.on_change: Callable[[], None] = lambda: None
        self.events: list[Event] = []

    def told(self, client: EngineClient, event: Event) -> None:
        self.events.append(event)
