"""Questions to the index: a page in order, and a search by words. Reads rows, nothing else.

Owns the order (id, base, number), the cursor and the words. Refuses to own whether the rows are
true (`index_rows.py`).
"""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import UsageError
from ..names import AdapterId, parse_version

_COLUMNS = "v.id, v.base, v.number, v.digest, v.weights, v.created, v.card, v.aliases"
_WEIGHTS = "8.0, 6.0, 2.0, 1.0, 4.0, 1.0"
"""How much a word counts, by column of `texts`: id, skill, description, kind, aliases, licence."""

MAX_WORDS = 32
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Filter:
    """Which rows: a base family (or its first digits) and a kind of card; None takes all."""

    base: str | None = None
    kind: str | None = None

    @property
    def terms(self) -> str:
        """What a `where` goes on with."""
        base = "" if self.base is None else " and substr(v.base, 1, length(?)) = ?"
        return base + ("" if self.kind is None else " and v.kind = ?")

    @property
    def values(self) -> tuple[str, ...]:
        """For the placeholders of `terms`."""
        base = () if self.base is None else (self.base, self.base)
        return base if self.kind is None else (*base, self.kind)


class Row(NamedTuple):
    """One version as the index has it; `card` is JSON."""

    id: str
    base: str
    number: int
    digest: str
    weights: str
    created: str
    card: str
    aliases: str

    @property
    def cursor(self) -> str:
        """Where a page that starts behind this row starts."""
        return f"{self.id}@{self.number}@{self.base}"


def page(db: sqlite3.Connection, wanted: Filter, *, after: str | None, limit: int) -> Iterator[Row]:
    """Rows in order of id, base and number, from behind a cursor."""
    start = ("", "", 0) if after is None else _start(after)
    found = db.execute(
        f"select {_COLUMNS} from versions v"
        f" where (v.id, v.base, v.number) > (?, ?, ?){wanted.terms}"
        " order by v.id, v.base, v.number limit ?",
        (*start, *wanted.values, limit),
    )
    return map(Row._make, found)


def search(db: sqlite3.Connection, text: str, wanted: Filter, *, limit: int) -> Iterator[Row]:
    """Rows that hold every word, each as the beginning of one of theirs; the best first.

    Raises:
        UsageError: more than `MAX_WORDS` words.
    """
    words = _WORD.findall(text)
    if len(words) > MAX_WORDS:
        raise UsageError(f"a search for {len(words)} words: at most {MAX_WORDS}")
    if not words:
        return iter(())
    found = db.execute(
        f"select {_COLUMNS} from texts join versions v on v.row = texts.rowid"
        f" where texts match ?{wanted.terms}"
        f" order by bm25(texts, {_WEIGHTS}), v.id, v.base, v.number limit ?",
        (" ".join(f'"{word}"*' for word in words), *wanted.values, limit),
    )
    return map(Row._make, found)


def _start(cursor: str) -> tuple[str, str, int]:
    """The place behind a row, from `Row.cursor`."""
    name, _, rest = cursor.partition("@")
    number, _, base = rest.partition("@")
    found = parse_version(number)
    if found is None or not base:
        raise UsageError(f"cannot go on after {cursor!r}: expected the `next` of the page before")
    return str(AdapterId.parse(name)), base, found
