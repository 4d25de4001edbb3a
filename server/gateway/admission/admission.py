"""Letting requests through to the engines: which engine, when, with which priority.

A request whose adapter has a slot, or needs none, goes straight through: no task, no lock, some
microseconds. Others wait in the room, and `schedule.py` says for how long. All books are changed
in one event loop and between two awaits, so they always agree.
Owns the steps of a request from its arrival to its end, and that each is undone. Refuses to own
what an engine holds (`residency/`) and how it is (`pool/`).
"""

import asyncio
from collections.abc import Sequence
from types import TracebackType

from ...admission_settings import AdmissionLimits
from ..errors import DeadlinePassed, NotReady, TooBusy
from ..pool.health import Event
from ..pool.pool import Pool
from .fair import FairClock, Tag
from .figures import Figures, Gauges, read_gauges
from .lanes import Book
from .pace import Pace
from .picker import Picker
from .places import Places
from .room import Room
from .tickets import Ticket, Wanted

__all__ = ["Admission", "Entry", "Ticket", "Wanted"]


class Admission:
    """Hands out tickets.

    `figures` counts what has happened; `gauges` says how things are.
    """

    def __init__(self, pool: Pool, limits: AdmissionLimits | None = None) -> None:
        self.limits = limits or AdmissionLimits()
        self.figures = Figures()
        self._pool = pool
        self._places = Places(
            most=self.limits.max_requests, most_per_tenant=self.limits.max_requests_per_tenant
        )
        self._fair = FairClock()
        self._pace = Pace()
        self._picker = Picker(pool)
        self._room = Room(pool, self.limits, self.figures, seat=self._seat, unseat=self._unseat)
        pool.on_change = self._room.look

    def enter(self, wanted: Wanted) -> "Entry":
        """Wait for a place, hold it while the body runs: `async with ... as ticket`.

        A body that ends with `NotReady` says that its engine broke off.

        Raises:
            NotReady: no engine is ready.
            TooBusy: every place is taken, or the wait would be longer than the caller's time.
            DeadlinePassed: the caller's time has passed.
        """
        return Entry(self, wanted)

    @property
    def gauges(self) -> Gauges:
        """How things are now; needs the running event loop, for its clock."""
        now = asyncio.get_running_loop().time()
        return read_gauges(self._pool, self._room.waiting, self._places, now)

    # -- for `Entry` ---------------------------------------------------------------------------

    def arrive(self, wanted: Wanted) -> Tag:
        """Take a place and a fair position; `depart` must follow.

        Raises:
            TooBusy: no place is left.
        """
        retry_s = self._pace.retry_after_s(self._places.taken)
        try:
            self._places.take(wanted.tenant, retry_after_s=retry_s)
        except TooBusy:
            self.figures.refused["places"] += 1
            raise
        return self._fair.enter(wanted.tenant, wanted.adapter or "", cost=wanted.cost)

    def depart(self, wanted: Wanted, tag: Tag, *, served: bool) -> None:
        """Undo `arrive`."""
        self._places.give_back(wanted.tenant)
        self._fair.leave(tag, served=served)
        if served:
            self._pace.ended(asyncio.get_running_loop().time())

    def at_once(self, wanted: Wanted) -> Book | None:
        """An engine that takes the request now, and counts it in; None where it has to wait.

        Raises:
            NotReady: no engine is ready.
            DeadlinePassed: no time is left.
        """
        try:
            books = self._picker.candidates(wanted)
        except NotReady:
            self.figures.refused["no_engine"] += 1
            raise
        if wanted.timeout_s is not None and wanted.timeout_s <= 0:
            self.figures.refused["expired"] += 1
            raise DeadlinePassed("no time is left of what the request gives; allow more")
        now = asyncio.get_running_loop().time()
        if wanted.adapter is not None:
            books = self._free_for(books, wanted.adapter, now)
            if not books:
                return None
        book = self._picker.nearest(books, wanted)
        self._seat(book, wanted.adapter, now)
        self.figures.admitted += 1
        return book

    async def later(self, wanted: Wanted, tag: Tag) -> Book:
        """Wait for an engine.

        Raises:
            TooBusy, DeadlinePassed, NotReady: as `enter`.
        """
        adapter = wanted.adapter
        assert adapter is not None
        self._refuse_hopeless(adapter, wanted.timeout_s)
        book, seconds = await self._room.wait(
            adapter, wanted.tenant, finish=tag.finish, timeout_s=wanted.timeout_s
        )
        self.figures.admit(wait_s=seconds)
        return book

    def leave(self, book: Book, adapter: str | None, *, event: Event | None) -> None:
        """Count a request out at its engine, and let others in.

        Args:
            event: what it tells of the engine; None where nothing.
        """
        book.client.in_flight -= 1
        if event is not None:
            self._pool.told(book.client, event)
        if adapter is None:
            return
        tenure_s = book.leave(adapter, asyncio.get_running_loop().time())
        if tenure_s is not None:
            self._pace.seat_given_up(after_s=tenure_s)
        if tenure_s is not None or adapter in self._room.waiting:
            self._room.look()

    def remember(self, wanted: Wanted, book: Book) -> None:
        """This is where the session of a request was."""
        self._picker.remember(wanted, book)

    # -- small things --------------------------------------------------------------------------

    def _free_for(self, books: Sequence[Book], adapter: str, now: float) -> Sequence[Book]:
        """The engines that take a request of this adapter without a wait."""
        if self._room.waiting:
            return [book for book in books if self._may_join(book, adapter)]
        linger_s = self.limits.linger_s
        return [book for book in books if book.admits(adapter, now, linger_s=linger_s)]

    def _may_join(self, book: Book, adapter: str) -> bool:
        """While others wait: only where the adapter sits already, and its own do not wait."""
        if not book.limited:
            return True
        if adapter in self._room.waiting or not book.has_open_seat(adapter):
            return False
        return book.num_requests(adapter) < self.limits.max_per_adapter

    def _seat(self, book: Book, adapter: str | None, now: float) -> None:
        book.client.in_flight += 1
        if adapter is not None:
            book.join(adapter, now, linger_s=self.limits.linger_s)

    def _unseat(self, book: Book, adapter: str) -> None:
        self.leave(book, adapter, event=None)

    def _refuse_hopeless(self, adapter: str, timeout_s: float | None) -> None:
        if timeout_s is None:
            return
        ahead = sum(other != adapter for other in self._room.waiting.adapters)
        slots = sum(book.slots for book in self._pool.open)
        expected_s = self._pace.expected_wait_s(adapters_ahead=ahead, slots=slots)
        if expected_s > timeout_s:
            self.figures.refused["deadline"] += 1
            raise TooBusy(
                f"the wait for this model is about {expected_s:.1f} s, and the request gives "
                f"{timeout_s:g} s; allow more time, or ask again when it is calmer",
                retry_after_s=expected_s,
            )


class Entry:
    """One request on its way in, at its engine, and out again."""

    __slots__ = ("_admission", "_book", "_tag", "_wanted")
    _tag: Tag
    _book: Book

    def __init__(self, admission: Admission, wanted: Wanted) -> None:
        self._admission = admission
        self._wanted = wanted

    async def __aenter__(self) -> Ticket:
        admission, wanted = self._admission, self._wanted
        self._tag = tag = admission.arrive(wanted)
        try:
            book = admission.at_once(wanted)
            if book is None:
                book = await admission.later(wanted, tag)
        except BaseException:
            admission.depart(wanted, tag, served=False)
            raise
        self._book = book
        admission.remember(wanted, book)
        return Ticket(book.client, tag.priority if book.takes_priority else None)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        err: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        event = Event.ANSWERED if err is None else None
        if isinstance(err, NotReady):
            event = Event.BROKE_OFF
        self._admission.depart(self._wanted, self._tag, served=True)
        self._admission.leave(self._book, self._wanted.adapter, event=event)
