"""The file of the tokens used: sums by day, key, team and adapter, in SQLite.

Several processes add to it. Owns the tables and the queries. Refuses to own when it is written
(`usage.py`) and how it is printed (the command line).
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ....adapters.errors import StoreError, UsageError
from .files import make_private_folder

COLUMNS = ("day", "key", "team", "adapter")
"""What usage can be summed by."""
BUSY_S = 5.0
_SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS used (
  day TEXT NOT NULL, key TEXT NOT NULL, team TEXT NOT NULL, adapter TEXT NOT NULL,
  requests INTEGER NOT NULL, prompt INTEGER NOT NULL, completion INTEGER NOT NULL,
  PRIMARY KEY (day, key, team, adapter)) WITHOUT ROWID
""",
    """
CREATE TABLE IF NOT EXISTS spent (
  key TEXT NOT NULL, day TEXT NOT NULL, tokens INTEGER NOT NULL,
  PRIMARY KEY (key, day)) WITHOUT ROWID
""",
)
EVER = "ever"
"""In the place of a day: all days together."""


class Where(NamedTuple):
    """What tokens are summed up under."""

    day: str
    key: str
    team: str
    adapter: str


@dataclass
class Sum:
    """Requests and their tokens."""

    requests: int = 0
    prompt: int = 0
    completion: int = 0

    def add(self, other: "Sum") -> None:
        """Take another sum in."""
        self.requests += other.requests
        self.prompt += other.prompt
        self.completion += other.completion


class UsageFile:
    """The sums of one store."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, sums: Mapping[Where, Sum]) -> None:
        """Add to the sums, all or nothing; on the disk when it returns.

        Raises:
            StoreError: the disk is full or unwilling; nothing was added.
        """
        used = [(*where, s.requests, s.prompt, s.completion) for where, s in sums.items()]
        spent = [
            (where.key, day, s.prompt + s.completion)
            for where, s in sums.items()
            for day in (where.day, EVER)
        ]
        with self._open(make=True) as db, db:
            db.execute("BEGIN IMMEDIATE")
            for table in _SCHEMA:  # the file may be there without them: its maker was cut short
                db.execute(table)
            db.executemany(
                "INSERT INTO used VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET requests = "
                "requests + excluded.requests, prompt = prompt + excluded.prompt, completion = "
                "completion + excluded.completion",
                used,
            )
            db.executemany(
                "INSERT INTO spent VALUES (?,?,?) ON CONFLICT DO UPDATE SET tokens = tokens + "
                "excluded.tokens",
                spent,
            )

    def spent(self, day: str) -> dict[tuple[str, str], int]:
        """Tokens by key and day: of `day` and of `EVER`.

        Raises:
            StoreError: the file cannot be read.
        """
        if not self._path.is_file():
            return {}
        with self._open() as db:
            if not _has_tables(db):
                return {}
            rows = db.execute("SELECT key, day, tokens FROM spent WHERE day IN (?, ?)", (day, EVER))
            return {(key, when): tokens for key, when, tokens in rows}

    def table(self, by: Sequence[str], *, since: str | None = None) -> list[dict[str, object]]:
        """Sums by some of `COLUMNS`, the largest first.

        Args:
            since: first day to count, `2026-01-31`.

        Raises:
            UsageError: something else than columns.
            StoreError: the file cannot be read.
        """
        strange = [name for name in by if name not in COLUMNS]
        if strange or not by or len(set(by)) != len(by):
            raise UsageError(
                f"by {','.join(by)!r}: expected some of {','.join(COLUMNS)}, once each"
            )
        if not self._path.is_file():
            return []
        names = ", ".join(by)
        query = (
            f"SELECT {names}, SUM(requests), SUM(prompt), SUM(completion), "
            "SUM(prompt + completion) AS tokens FROM used WHERE day >= ? "
            f"GROUP BY {names} ORDER BY tokens DESC, {names}"
        )
        heads = [*by, "requests", "prompt_tokens", "completion_tokens", "tokens"]
        with self._open() as db:
            if not _has_tables(db):
                return []
            rows = db.execute(query, (since or "",)).fetchall()
        return [dict(zip(heads, row, strict=True)) for row in rows]

    @contextmanager
    def _open(self, *, make: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            if make:
                self._make()
            with contextlib.closing(sqlite3.connect(self._path, timeout=BUSY_S)) as db:
                yield db
        except (sqlite3.Error, OSError) as err:
            raise StoreError(
                f"{self._path}: {err}; check free space and permissions of its folder"
            ) from err

    def _make(self) -> None:
        if self._path.is_file():
            return
        make_private_folder(self._path.parent)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with contextlib.closing(sqlite3.connect(self._path, timeout=BUSY_S)) as db, db:
            db.execute("PRAGMA journal_mode = WAL")


def _has_tables(db: sqlite3.Connection) -> bool:
    count = db.execute("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
    return int(count) == len(_SCHEMA)
