"""The rows of the index, and how they follow the files. SQLite, in a transaction of the caller.

Owns the tables and the rule by which a row is believed: every entry and every alias file is kept
with the time of its last change, inode and size, and read again only where these differ, or were
too young to be trusted when they were taken (`hot.MARGIN_NS`). Refuses to own the file in
which the tables lie (`index.py`) and questions (`index_questions.py`).

The files are read inside the transaction that writes their rows; SQLite lets in one writer at a
time, so the last one to commit has read the newest files.
"""

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from ..card import Card
from ..errors import NotFound, StoreError
from ..names import AdapterId, is_slug, parse_version
from .hot import MARGIN_NS
from .layout import MAX_LOOKS, Layout, children, settled
from .names import read_alias
from .pending import Name
from .types import Version

_LOG = logging.getLogger(__name__)
ReadVersion = Callable[[AdapterId, str, int], Version]

TABLES = """
create table meta (key text primary key, value text not null) without rowid;
create table versions (
  row integer primary key, id text not null, base text not null, number integer not null,
  seen text not null, digest text not null, weights text not null, created text not null,
  kind text not null, card text not null, aliases text not null default '',
  unique (id, base, number)
);
create table aliases (
  id text not null, base text not null, alias text not null, number integer not null,
  seen text not null, primary key (id, base, alias)
) without rowid;
create virtual table texts using fts5 (
  id, skill, description, kind, aliases, licence,
  tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
"""


def follow_all(db: sqlite3.Connection, layout: Layout, read: ReadVersion) -> None:
    """Make every row say what the files say; reads those that changed."""
    names = {
        (adapter_id, base)
        for adapter_id in layout.ids()
        for base in children(layout.root / "names" / adapter_id.folder)
    }
    known = {
        (AdapterId.parse(name), base)
        for name, base in db.execute("select distinct id, base from versions")
    }
    follow(db, layout, names | known, read)


def follow(
    db: sqlite3.Connection, layout: Layout, names: Iterable[Name], read: ReadVersion
) -> None:
    """Make the rows of some names say what the files say; reads those that changed."""
    for name in names:
        changed = _follow_entries(db, layout, name, read) | _follow_aliases(db, layout, name)
        _write_texts(db, name, changed)


def _follow_entries(
    db: sqlite3.Connection, layout: Layout, name: Name, read: ReadVersion
) -> set[int]:
    """Rows as the files are; from the start again where a version went away meanwhile."""
    changed: set[int] = set()
    for _ in range(MAX_LOOKS):
        try:
            return changed | _write_entries(db, layout, name, read)
        except _Vanished as vanished:
            changed |= vanished.changed
    return changed


class _Vanished(Exception):
    """A version was enumerated and is gone; what was written before that."""

    def __init__(self, changed: set[int]) -> None:
        super().__init__()
        self.changed = changed


def _entries(layout: Layout, name: Name) -> dict[int, str]:
    """Signature of every entry, all of them at one moment."""
    found = settled(lambda: sorted(_scan(layout.names(*name), removed=True)))
    return {n: seen for stem, seen in found if (n := parse_version(stem)) is not None}


def _write_entries(
    db: sqlite3.Connection, layout: Layout, name: Name, read: ReadVersion
) -> set[int]:
    adapter_id, base = name
    there = _entries(layout, name)
    rows: dict[int, str] = dict(
        db.execute(
            "select number, seen from versions where id = ? and base = ?", (str(adapter_id), base)
        )
    )
    changed = {n for n, seen in there.items() if not seen or rows.get(n) != seen}
    for number in rows.keys() - there.keys():
        _drop(db, name, number)
    written: set[int] = set()
    for number in changed:
        try:
            if _write(db, name, number, there[number], read):
                written.add(number)
        except NotFound:
            _drop(db, name, number)
            raise _Vanished(written) from None
    return written


def _write(db: sqlite3.Connection, name: Name, number: int, seen: str, read: ReadVersion) -> bool:
    adapter_id, base = name
    try:
        version = read(adapter_id, base, number)
    except StoreError as err:
        _LOG.warning("%s@%d is left out of the listing: %s", adapter_id, number, err)
        _drop(db, name, number)
        return False
    card = version.card
    db.execute(
        "insert into versions (id, base, number, seen, digest, weights, created, kind, card)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set seen = excluded.seen,"
        " digest = excluded.digest, weights = excluded.weights, created = excluded.created,"
        " kind = excluded.kind, card = excluded.card",
        (
            str(adapter_id),
            base,
            number,
            seen,
            version.version_digest,
            version.weights_digest,
            version.created_at,
            card.kind,
            card.model_dump_json(),
        ),
    )
    return True


def _drop(db: sqlite3.Connection, name: Name, number: int) -> None:
    where = "where id = ? and base = ? and number = ?"
    values = (str(name[0]), name[1], number)
    db.execute(f"delete from texts where rowid = (select row from versions {where})", values)
    db.execute(f"delete from versions {where}", values)


def _follow_aliases(db: sqlite3.Connection, layout: Layout, name: Name) -> set[int]:
    adapter_id, base = name
    there = {s: seen for s, seen in _scan(layout.aliases(adapter_id, base)) if is_slug(s)}
    rows = {
        alias: (number, seen)
        for alias, number, seen in db.execute(
            "select alias, number, seen from aliases where id = ? and base = ?",
            (str(adapter_id), base),
        )
    }
    changed = set()
    for alias in rows.keys() - there.keys():
        changed.add(rows[alias][0])
        _drop_alias(db, name, alias)
    for alias, seen in there.items():
        number, before = rows.get(alias, (0, ""))
        if seen and before == seen:
            continue
        changed |= {number, _write_alias(db, layout, name, alias, seen)}
    return changed


def _write_alias(db: sqlite3.Connection, layout: Layout, name: Name, alias: str, seen: str) -> int:
    try:
        number = read_alias(layout, *name, alias).version
    except (NotFound, StoreError):
        _drop_alias(db, name, alias)
        return 0
    db.execute(
        "insert or replace into aliases values (?, ?, ?, ?, ?)",
        (str(name[0]), name[1], alias, number, seen),
    )
    return number


def _drop_alias(db: sqlite3.Connection, name: Name, alias: str) -> None:
    db.execute(
        "delete from aliases where id = ? and base = ? and alias = ?",
        (str(name[0]), name[1], alias),
    )


def _write_texts(db: sqlite3.Connection, name: Name, numbers: set[int]) -> None:
    """Write anew what is searched, for versions whose card or aliases changed."""
    adapter_id, base = str(name[0]), name[1]
    for number in numbers:
        found = db.execute(
            "select row, card from versions where id = ? and base = ? and number = ?",
            (adapter_id, base, number),
        ).fetchone()
        if found is None:
            continue
        row, card = found[0], Card.model_validate_json(found[1])
        aliases = " ".join(
            alias
            for (alias,) in db.execute(
                "select alias from aliases where id = ? and base = ? and number = ? order by alias",
                (adapter_id, base, number),
            )
        )
        db.execute("update versions set aliases = ? where row = ?", (aliases, row))
        db.execute("delete from texts where rowid = ?", (row,))
        db.execute(
            "insert into texts (rowid, id, skill, description, kind, aliases, licence)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            (
                row,
                adapter_id,
                card.skill_name,
                card.description,
                card.kind,
                aliases,
                card.licence or "",
            ),
        )


def _scan(folder: Path, *, removed: bool = False) -> list[tuple[str, str]]:
    """Stem and signature of every `.json` in a folder; an empty signature is not to be trusted.

    Args:
        removed: also the whole names of what was removed.

    Raises:
        OSError: the folder cannot be read.
    """
    trusted_before = time.time_ns() - MARGIN_NS
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if removed and entry.name.endswith(".removed"):
                    found.append((entry.name, ""))
                elif entry.name.endswith(".json") and not entry.name.startswith("."):
                    try:
                        seen = entry.stat()
                    except FileNotFoundError:  # gone since; the others are there all the same
                        continue
                    text = f"{seen.st_ctime_ns}.{seen.st_ino}.{seen.st_size}"
                    trusted = seen.st_ctime_ns < trusted_before
                    found.append((entry.name.removesuffix(".json"), text if trusted else ""))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return found
