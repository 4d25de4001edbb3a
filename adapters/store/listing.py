"""Listing a store: all of it, a page of it, what matches some words. Asks the index.

Owns `Version` values made from rows of the index. Refuses to own whether these are true
(`index.py`) and single references (`reader.py`).
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from ..errors import StoreError
from ..names import AdapterId
from . import index_questions as questions
from .index import Index
from .index_questions import Filter, Row
from .layout import Layout
from .reader import Reader
from .types import Page, Version
from .writes import storing

_ALL = -1  # SQLite's word for no limit


@dataclass(frozen=True)
class Listing:
    """Answers for the store below `layout`."""

    layout: Layout
    index: Index
    reader: Reader
    _ids: dict[str, AdapterId] = field(default_factory=dict, init=False)

    def everything(self, base: str | None) -> list[Version]:
        """All sound versions, by id, base and number; every file is looked at first."""
        found = self._ask(
            lambda db: [*questions.page(db, Filter(base), after=None, limit=_ALL)], check_all=True
        )
        return [version for version, _ in found]

    def page(self, wanted: Filter, *, after: str | None, limit: int) -> Page:
        """Some versions in the same order, from behind a cursor."""
        found = self._ask(lambda db: [*questions.page(db, wanted, after=after, limit=limit + 1)])
        shown = found[:limit]
        return Page(
            versions=tuple(version for version, _ in shown),
            aliases=tuple(tuple(row.aliases.split()) for _, row in shown),
            next=shown[-1][1].cursor if len(found) > limit else None,
        )

    def search(self, text: str, wanted: Filter, *, limit: int) -> list[Version]:
        """Versions that hold every word, the best first."""
        found = self._ask(lambda db: [*questions.search(db, text, wanted, limit=limit)])
        return [version for version, _ in found]

    def _ask(
        self, question: Callable[[sqlite3.Connection], list[Row]], *, check_all: bool = False
    ) -> list[tuple[Version, Row]]:
        with storing(f"listing {self.layout.root}"):
            try:
                return self.index.ask(
                    lambda db: [(self._version(row), row) for row in question(db)],
                    check_all=check_all,
                )
            except sqlite3.Error as err:
                raise StoreError(
                    f"listing {self.layout.root}: SQLite says {err}; expected a Python whose "
                    "sqlite3 has FTS5 (the files are untouched)"
                ) from err

    @cached_property
    def _objects(self) -> Path:
        return self.layout.root / "objects"

    def _id(self, text: str) -> AdapterId:
        found = self._ids.get(text)
        if found is None:
            found = self._ids[text] = AdapterId.parse(text)
        return found

    def _version(self, row: Row) -> Version:
        return Version(
            id=self._id(row.id),
            base=row.base,
            number=row.number,
            version_digest=row.digest,
            weights_digest=row.weights,
            objects=self._objects,
            created_at=row.created,
            read_card=partial(self.reader.card, row.digest, row.card),
        )
