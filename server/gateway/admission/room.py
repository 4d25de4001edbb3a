"""The waiting room: requests whose adapter has no slot, until the schedule lets them in.

Looks at the schedule whenever something has changed, and at the moment that the schedule itself has
named; a timer does that, no task. Owns the wait: its end by a seat, by a deadline, or by a client
that leaves. Refuses to own the decision (`schedule.py`).
"""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import cast

from ...admission_settings import AdmissionLimits
from ..errors import DeadlinePassed
from ..pool.pool import Pool, no_engine
from .figures import Figures
from .lanes import Book
from .schedule import Decision, Rules, decide
from .waiting import Waiter, Waiting


class Room:
    """Holds requests back.

    Args:
        seat: counts a request in at an engine; called in the moment in which its wait ends.
        unseat: counts it out again, where its client left in that very moment.
    """

    def __init__(
        self,
        pool: Pool,
        limits: AdmissionLimits,
        figures: Figures,
        *,
        seat: Callable[[Book, str, float], None],
        unseat: Callable[[Book, str], None],
    ) -> None:
        self._pool = pool
        self._limits = limits
        self._rules = Rules(limits.quantum_s, limits.linger_s, limits.max_wait_s)
        self._figures = figures
        self._seat = seat
        self._unseat = unseat
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self.waiting = Waiting()

    async def wait(
        self, adapter: str, tenant: str, *, finish: float, timeout_s: float | None
    ) -> tuple[Book, float]:
        """Wait for a seat; the request is counted in at the engine that is returned.

        Returns:
            The engine, and the seconds of the wait.

        Raises:
            DeadlinePassed: `timeout_s` is over.
            NotReady: no engine has come for the longest wait.
        """
        loop = asyncio.get_running_loop()
        sits = _sits(self._pool.open, adapter)
        waiter = Waiter(
            adapter,
            tenant,
            came=loop.time(),
            number=next(self._numbers),
            finish=finish,
            reason="share" if sits else "slot",
            future=loop.create_future(),
        )
        self._figures.waited[waiter.reason] += 1
        joins = adapter in self.waiting  # then nothing changes for anybody who waits
        self.waiting.add(waiter)
        expiry = None
        if timeout_s is not None:
            expiry = loop.call_later(timeout_s, self._expire, waiter, timeout_s)
        try:
            if not joins:
                self.look()
            book = cast(Book, await waiter.future)
        except asyncio.CancelledError:
            self._figures.left += 1
            if not waiter.future.cancelled() and waiter.future.exception() is None:
                self._unseat(cast(Book, waiter.future.result()), adapter)
            raise
        finally:
            self.waiting.remove(waiter)
            if expiry is not None:
                expiry.cancel()
        return book, loop.time() - waiter.came

    def look(self) -> None:
        """Act on what the schedule says now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.waiting:
            return
        loop = asyncio.get_running_loop()
        now, books = loop.time(), self._pool.open
        if not books:
            self._give_up(now)
        groups = [group for group in self.waiting.groups(now) if not _sits(books, group.adapter)]
        decision = decide([book.picture() for book in books], groups, now, self._rules)
        self._apply(decision, books, now)
        for book in books:
            for adapter in self.waiting.adapters:
                if book.has_open_seat(adapter):
                    self._fill(book, adapter, now)
        if self.waiting:
            self._timer = loop.call_at(self._wake_at(decision, now), self.look)

    def _apply(self, decision: Decision, books: Sequence[Book], now: float) -> None:
        for lane, adapter in decision.vacated:
            books[lane].vacate(adapter)
        for grant in decision.grants:
            self._figures.grants += 1
            self._figures.forced += grant.forced
            self._fill(books[grant.lane], grant.adapter, now)
        for lane, adapter in decision.closings:
            self._figures.closings += 1
            books[lane].close(adapter)

    def _fill(self, book: Book, adapter: str, now: float) -> None:
        """Let in those whose adapter sits here: as many as it may have, and who waited longest."""
        while adapter in self.waiting:
            alone = len(self.waiting.adapters) == 1
            oldest = self.waiting.oldest(adapter)
            if alone or book.num_requests(adapter) < self._limits.max_per_adapter:
                self._let_in(book, self.waiting.first(adapter), now)
            elif now >= oldest.came + self._limits.max_wait_s:
                self._let_in(book, oldest, now)
            else:
                return

    def _let_in(self, book: Book, waiter: Waiter, now: float) -> None:
        self.waiting.remove(waiter)
        if not waiter.future.done():  # else its client is leaving in this moment
            self._seat(book, waiter.adapter, now)
            waiter.future.set_result(book)

    def _expire(self, waiter: Waiter, timeout_s: float) -> None:
        if waiter.future.done():
            return
        self.waiting.remove(waiter)
        self._figures.refused["expired"] += 1
        waiter.future.set_exception(
            DeadlinePassed(
                f"the {timeout_s:g} s that the request gives have passed while it waited for its "
                "model; allow more time, or ask again when it is calmer"
            )
        )

    def _give_up(self, now: float) -> None:
        """No engine is there: whoever has waited for long enough is told so."""
        for waiter in list(self.waiting):
            if now >= waiter.came + self._limits.max_wait_s:
                self.waiting.remove(waiter)
                if not waiter.future.done():
                    self._figures.refused["no_engine"] += 1
                    waiter.future.set_exception(no_engine())

    def _wake_at(self, decision: Decision, now: float) -> float:
        """The schedule's moment, or when somebody has waited for as long as anybody may."""
        moments = [group.oldest + self._limits.max_wait_s for group in self.waiting.groups(now)]
        return min(moments if decision.wake_at is None else [*moments, decision.wake_at])


def _sits(books: Sequence[Book], adapter: str) -> bool:
    return any(book.has_open_seat(adapter) for book in books)
