"""The engine for a request, among those that may take it.

Owns the memory of which conversation was where. Refuses to own the rule (`affinity.py`) and who has
to wait (`room.py`).
"""

from collections import OrderedDict
from collections.abc import Sequence
from zlib import crc32

from ...engines.client import EngineClient
from ..pool.pool import Pool, no_engine
from .affinity import Nearness, Option, choose
from .lanes import Book
from .tickets import Wanted

MAX_SESSIONS = 8192
"""Conversations whose engine is remembered."""


class Picker:
    """Chooses engines of a pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._sessions: OrderedDict[int, EngineClient] = OrderedDict()

    def candidates(self, wanted: Wanted) -> Sequence[Book]:
        """The engines that may be asked; those to avoid only where no other is there.

        Raises:
            NotReady: none.
        """
        books = self._pool.open
        if not books:
            raise no_engine()
        if len(books) == 1:
            return books
        fit = [book for book in books if not (book.on_trial and book.client.in_flight)]
        fresh = [book for book in fit if book.client not in wanted.avoid]
        return fresh or fit or books

    def nearest(self, books: Sequence[Book], wanted: Wanted) -> Book:
        """The engine that has most of what the request needs and is not much busier."""
        if len(books) == 1:
            return books[0]
        name, home = wanted.adapter or "", None
        if wanted.session is not None:
            home = self._sessions.get(_key(wanted))
        options = [
            Option(
                Nearness.SESSION if book.client is home else _nearness(book, wanted.adapter),
                book.client.in_flight,
                seed_of(name, book.client.url),
            )
            for book in books
        ]
        return books[choose(options)]

    def remember(self, wanted: Wanted, book: Book) -> None:
        """Requests of this session like to come back here."""
        if wanted.session is None or len(self._pool.members) < 2:
            return
        key = _key(wanted)
        self._sessions.pop(key, None)
        self._sessions[key] = book.client
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)


def seed_of(adapter: str, engine: str) -> int:
    """A number that mixes both names; equal in every process."""
    return crc32(f"{adapter}\n{engine}".encode())


def _key(wanted: Wanted) -> int:
    """Of a bounded size, whatever a client calls its session; tenants do not share any."""
    return hash((wanted.tenant, wanted.session))


def _nearness(book: Book, adapter: str | None) -> Nearness:
    return Nearness.NOTHING if adapter is None else book.nearness(adapter)
