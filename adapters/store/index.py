"""The index: a cache in SQLite that any process may delete at any moment. Files are the truth.

Owns the life of the file. An index is believed when it has our tables, was made for this folder
(device and inode: a copied store has another) since this machine was started (so it needs no fsync:
one from before a power cut is not believed), and can be read; otherwise it is made anew.

Each index has a name of its own, `index/<token>.sqlite`, never used again; `index.sqlite` is a
link to the one in use. So a process that still has a deleted index open cannot do harm to the new
one through SQLite's side files, and notices by the link's inode. For the same reason the rollback
journal is used and not WAL: it has no shared memory beside the file, and an index in a folder that
we may not write to can be read.

An index that turns out to be damaged is not opened again: who noticed makes another, unless
somebody did so meanwhile.

Changes by hand count when every file is looked at (`check_all`: `list`, `fsck`). A page may notice
a new name's folder earlier, if nobody wrote since; versions of a name that was there it does not.

Who makes an index holds `locks/index` alone, who updates one shares it: a change is read by the
one or written by the other. Refuses to own rows and questions (`index_rows.py`,
`index_questions.py`).
"""

import contextlib
import os
import re
import secrets
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from . import index_rows as rows
from . import pending as store_pending
from .file_systems import file_system_of, is_unsafe
from .hot import signature
from .layout import TEMPORARY, Layout, children
from .pending import Name
from .writes import locked

TABLES_VERSION = "1"
_TARGET = re.compile(r"index/[0-9a-f]{16}\.sqlite")
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_BUSY_S = 60.0
_NAMES = "names"
"""Where `meta` keeps what the folder of names looked like when the rows were last true."""

_FAULTS = (sqlite3.Error, ValidationError, OSError)
"""What an index may do to who asks it: a damaged page, a card that is none, an unwilling disk."""

Inode = tuple[int, int]
T = TypeVar("T")


class Index:
    """The index of one store, as one process sees it; safe to use from several threads.

    Args:
        read: reads one version from the files.
        read_only: never writes to the store's folder; keeps rows in memory where it must.
    """

    def __init__(self, layout: Layout, read: rows.ReadVersion, *, read_only: bool) -> None:
        self._layout, self._read, self._read_only = layout, read, read_only
        self._lock = threading.RLock()
        self._disk: sqlite3.Connection | None = None
        self._memory: sqlite3.Connection | None = None
        self._inode: Inode | None = None
        self._path: Path | None = None
        self._bad: Path | None = None
        self._pid = os.getpid()

    def ask(self, question: Callable[[sqlite3.Connection], T], *, check_all: bool = False) -> T:
        """Answer from rows that miss nothing that was acknowledged before.

        Args:
            check_all: compare every file first, so that changes made by hand count as well.
        """
        with self._lock:
            for connect in (partial(self._from_disk, check_all=check_all), self._anew):
                try:
                    db = connect()
                    if db is not None:
                        return question(db)
                except _FAULTS as err:
                    self._give_up(err)
            return question(self._in_memory(None))

    def follow(self, names: Iterable[Name]) -> bool:
        """Bring the rows of some names up to date; False where that could not be done.

        An index that is not there stays away: who asks first makes it.
        """
        with self._lock:
            try:
                with locked(self._lock_file, exclusive=False):
                    db = self._open()
                    if db is not None:
                        with _transaction(db):
                            rows.follow(db, self._layout, names, self._read)
                            self._note_names(db)
                return True
            except _FAULTS as err:
                self._give_up(err)
            return self._bad is not None and self._anew() is not None

    def rebuild(self) -> None:
        """Make the index anew from the files.

        Raises:
            OSError, sqlite3.Error: it cannot be written.
        """
        with self._lock, locked(self._lock_file, exclusive=True):
            self._make()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._forget()

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if ending():
            return  # with the interpreter the connection ends, too
        with contextlib.suppress(AttributeError, sqlite3.Error):
            self._forget()
            if self._memory is not None:
                self._memory.close()

    @property
    def _lock_file(self) -> Path:
        return self._layout.root / "locks" / "index"

    def _from_disk(self, *, check_all: bool) -> sqlite3.Connection | None:
        """A connection whose rows are true; None where only memory is left."""
        before = self._disk
        db = self._open()
        fresh = db is not before
        if self._read_only:
            if db is not None and not check_all:
                marked = store_pending.marked(store_pending.markers(self._layout))
                return self._in_memory(db, marked) if marked else db
            return self._in_memory(db)
        if db is None:
            return self._anew() if self._is_store() else None
        markers = store_pending.markers(self._layout)
        if check_all or (fresh and not markers and self._names_changed(db)):
            with locked(self._lock_file, exclusive=False), _transaction(db):
                rows.follow_all(db, self._layout, self._read)
                self._note_names(db)
        elif markers and not self.follow(store_pending.marked(markers)):
            return None
        if markers:
            self._sweep(markers)
        return self._disk

    def _sweep(self, markers: list[Path]) -> None:
        """Remove markers that we have honoured, if nobody can be writing."""
        with locked(self._layout.root / "lock", exclusive=True, wait=False) as alone:
            if alone and self.follow(store_pending.marked(markers)):
                for marker in markers:
                    marker.unlink(missing_ok=True)

    def _is_store(self) -> bool:
        """Whether somebody wrote here, where one may write; a reader makes nothing elsewhere."""
        root = self._layout.root
        written = self._layout.config.is_file() or (root / "names").is_dir()
        return written and not is_unsafe(file_system_of(root))

    def _anew(self) -> sqlite3.Connection | None:
        """Make the index, or take the one that somebody made meanwhile."""
        if self._read_only or not self._is_store():
            return None
        try:
            with locked(self._lock_file, exclusive=True):
                db = self._open()
                return db if db is not None else self._make()
        except _FAULTS:  # no room, no permission: the files will do
            self._forget()
            return None

    def _open(self) -> sqlite3.Connection | None:
        """The connection to the index in use; None where there is none to be believed."""
        inode = _inode(self._layout.root / "index.sqlite")
        if self._disk is not None and inode == self._inode and self._pid == os.getpid():
            return self._disk
        self._forget()
        path = self._target()
        if path is None or inode is None or path == self._bad:
            return None
        mode = "ro" if self._read_only else "rw"
        db = _connect(f"file:{quote(str(path))}?mode={mode}")
        if not self._believed(db) or _inode(path) != inode:
            db.close()
            return None
        self._disk, self._inode, self._path, self._pid = db, inode, path, os.getpid()
        return db

    def _target(self) -> Path | None:
        """The file that the link names, if it is one of ours."""
        try:
            text = os.readlink(self._layout.root / "index.sqlite")
        except OSError:
            return None
        return self._layout.root / text if _TARGET.fullmatch(text) else None

    def _believed(self, db: sqlite3.Connection) -> bool:
        try:
            found = dict(db.execute("select key, value from meta"))
        except sqlite3.Error:
            return False
        found.pop(_NAMES, None)
        return found == self._identity()

    def _names_changed(self, db: sqlite3.Connection) -> bool:
        """Whether a name came or went that no store put or took: copied in, or removed by hand."""
        noted = db.execute("select value from meta where key = ?", (_NAMES,)).fetchone()
        return noted is None or noted[0] != self._names_now()

    def _note_names(self, db: sqlite3.Connection) -> None:
        db.execute("insert or replace into meta values (?, ?)", (_NAMES, self._names_now()))

    def _names_now(self) -> str:
        return str(signature(str(self._layout.root / "names")))

    def _identity(self) -> dict[str, str]:
        root = self._layout.root.stat()
        try:
            boot = _BOOT.read_text(encoding="ascii").strip()
        except OSError:
            boot = "unknown"
        return {"tables": TABLES_VERSION, "root": f"{root.st_dev}:{root.st_ino}", "boot": boot}

    def _make(self) -> sqlite3.Connection:
        """Build an index and put it in the place of the last; the caller is alone here."""
        self._forget()
        folder = self._layout.root / "index"
        folder.mkdir(exist_ok=True)
        for name in children(folder):
            (folder / name).unlink()
        token = secrets.token_hex(8)
        path = folder / f"{token}.sqlite"
        db = _connect(f"file:{quote(str(path))}?mode=rwc")
        with _transaction(db):
            self._fill(db)
        link = self._layout.root / f"{TEMPORARY}{token}"
        os.symlink(f"index/{path.name}", link)
        os.replace(link, self._layout.root / "index.sqlite")
        self._disk, self._inode, self._path, self._pid = db, _inode(path), path, os.getpid()
        return db

    def _fill(self, db: sqlite3.Connection) -> None:
        for statement in rows.TABLES.split(";"):
            db.execute(statement)
        db.executemany("insert into meta values (?, ?)", self._identity().items())
        rows.follow_all(db, self._layout, self._read)
        self._note_names(db)

    def _in_memory(
        self, disk: sqlite3.Connection | None, names: Iterable[Name] | None = None
    ) -> sqlite3.Connection:
        """Rows in memory, begun from the disk's where there are some, and brought up to date."""
        if names is not None or self._memory is None or self._pid != os.getpid():
            memory = _connect(":memory:")
            if disk is not None:
                disk.backup(memory)  # may fail: what is kept has its tables, or is not kept
            else:
                for statement in rows.TABLES.split(";"):
                    memory.execute(statement)
            self._memory, self._pid = memory, os.getpid()
        with _transaction(self._memory):
            if names is not None:
                rows.follow(self._memory, self._layout, names, self._read)
            else:
                rows.follow_all(self._memory, self._layout, self._read)
        return self._memory

    def _give_up(self, err: Exception) -> None:
        """Close the index; never open this file again where the fault is in what it holds."""
        busy = getattr(err, "sqlite_errorcode", 0) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        if self._disk is not None and not busy and not isinstance(err, OSError):
            self._bad = self._path
        self._forget()

    def _forget(self) -> None:
        if self._disk is not None and self._pid == os.getpid():  # a fork's parent still needs it
            self._disk.close()
        self._disk = self._inode = None


def _connect(uri: str) -> sqlite3.Connection:
    db = sqlite3.connect(
        uri, uri=True, isolation_level=None, timeout=_BUSY_S, check_same_thread=False
    )
    db.execute("pragma synchronous = off")
    return db


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("begin immediate")
    try:
        yield
    except BaseException:
        db.execute("rollback")
        raise
    db.execute("commit")


def _inode(path: Path) -> Inode | None:
    try:
        seen = os.stat(path)
    except OSError:
        return None
    return seen.st_dev, seen.st_ino
