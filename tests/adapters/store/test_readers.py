"""Readers see only states that existed; who asks a damaged index makes another."""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from skillweave.adapters.errors import Conflict, NotFound, StoreError
from skillweave.adapters.file_ops import DiskOps
from skillweave.adapters.names import AdapterId
from skillweave.adapters.store.layout import Layout, settled
from skillweave.adapters.store.store import Store
from skillweave.scripts.exams.store_jobs import FAMILY, Material

from .shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path, made: Material) -> Shelf:
    return Shelf(tmp_path / "store", made)


@contextmanager
def replacing(shelf: Shelf, rounds: int) -> Iterator[threading.Thread]:
    """A writer that adds a version and removes the one before it, over and over."""

    def work() -> None:
        store = Store(shelf.root, ops=DiskOps(durable=False))
        for seed in range(2, 2 + rounds):
            before = shelf.put("one", seed, aliases=("default",)).number - 1
            store.remove("one", before)
        store.close()

    shelf.put("one", 1)
    writer = threading.Thread(target=work)
    writer.start()
    try:
        yield writer
    finally:
        writer.join()


def test_a_name_that_always_has_a_version_always_resolves(shelf: Shelf) -> None:
    looks = 0
    with replacing(shelf, 30) as writer:
        store, reading = shelf.store, Store(shelf.root, read_only=True)
        while writer.is_alive():
            for ref in ("one", "one@latest"):
                assert store.resolve(ref).id.name == "one"
            assert store.versions("one")
            assert reading.page().versions
            looks += 1
    assert looks > 0
    assert shelf.store.resolve("one").number == 31


def test_what_two_looks_agree_on_is_taken() -> None:
    looks = iter([["1"], ["2"], ["2", "3"], ["2", "3"], ["4"]])
    assert settled(lambda: next(looks)) == ["2", "3"]


class Racing(Layout):
    """A store where, right after the first look at the numbers, one version replaces another."""

    def numbers(self, adapter_id: AdapterId, base: str) -> list[int]:
        """See `Layout`."""
        seen = super().numbers(adapter_id, base)
        folder = self.names(adapter_id, base)
        if seen == [1]:
            os.link(folder / "1.json", folder / "2.json")
            (folder / "1.json").rename(folder / "1.removed")
        return seen


def test_versions_that_went_away_are_looked_for_again(shelf: Shelf) -> None:
    from skillweave.adapters.store.reader import Reader

    shelf.put("one", 1)
    reader = Reader(Racing(shelf.root))
    assert [v.number for v in reader.versions(AdapterId.parse("one"), FAMILY)] == [2]


def test_a_name_without_versions_is_not_found_by_latest(shelf: Shelf) -> None:
    shelf.put("one", 1)
    shelf.store.remove("one", 1)
    for ref in ("one", "one@latest", "one@1"):
        with pytest.raises(NotFound):
            shelf.store.resolve(ref)


def test_rollback_never_reports_success_where_it_stays(shelf: Shelf) -> None:
    for seed in (1, 2, 3):
        shelf.put("one", seed)
    store = shelf.store
    for number in (2, 1):
        store.tag("one", "default", number)  # 1 -> 2 -> 1
    store.remove("one", 2)
    with pytest.raises(Conflict, match="no earlier version"):
        store.rollback("one")
    assert store.aliases("one") == {"default": 1}


def spoil(path: Path) -> None:
    """Other bytes in the pages of versions; the rest, and what says whose index it is, is whole."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("pragma page_size").fetchone()
        names = "('versions', 'sqlite_autoindex_versions_1')"
        roots = db.execute(f"select rootpage from sqlite_master where name in {names}").fetchall()
    data = bytearray(path.read_bytes())
    for (root,) in roots:
        data[(root - 1) * size : root * size] = b"\x55" * size
    path.write_bytes(data)


@pytest.mark.parametrize("opened", [False, True])
def test_a_damaged_index_is_made_anew_by_who_asks(shelf: Shelf, opened: bool) -> None:
    for name in ("a", "b", "c"):
        shelf.put(name, 1)
    store = shelf.store
    expected = store.list()
    if not opened:
        store.close()
    damaged = os.readlink(shelf.root / "index.sqlite")
    spoil(shelf.root / damaged)
    other = shelf.store
    assert list(other.page().versions) == expected
    assert other.search("a")
    assert os.readlink(shelf.root / "index.sqlite") != damaged
    assert list(store.page().versions) == store.list() == expected
    assert store.fsck() == []


def test_a_writer_that_meets_a_damaged_index_leaves_a_true_one(shelf: Shelf) -> None:
    for name in ("a", "b", "c"):
        shelf.put(name, 1)
    shelf.store.page()
    spoil(shelf.root / os.readlink(shelf.root / "index.sqlite"))
    shelf.put("d", 4)
    assert [v.id.name for v in shelf.store.page().versions] == ["a", "b", "c", "d"]
    assert shelf.store.fsck() == []


def test_fsck_needs_no_index(shelf: Shelf) -> None:
    shelf.put("a", 1)
    shelf.store.page()
    with contextlib.suppress(StoreError):
        (shelf.root / "index.sqlite").unlink()
    (shelf.root / "index.sqlite").mkdir()
    assert shelf.store.fsck() == []


def test_a_new_version_reads_no_older_entry(shelf: Shelf) -> None:
    for seed in (1, 2, 3):
        shelf.put("one", seed)
    entry = shelf.root / "names" / "one" / FAMILY / "2.json"
    whole = entry.read_bytes()
    entry.write_bytes(b"")  # who read it would say so
    assert shelf.put("one", 4).number == 4
    entry.write_bytes(whole)
    assert shelf.put("one", 2).number == 2
    assert shelf.store.fsck() == []
