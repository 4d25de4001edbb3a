"""The index is a cache: whatever happens to it, pages and searches say what the files say."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.adapters.errors import StoreError, UsageError
from skillweave.adapters.file_ops import DiskOps
from skillweave.adapters.names import AdapterId
from skillweave.adapters.store import pending as store_pending
from skillweave.adapters.store.layout import Layout
from skillweave.adapters.store.store import Store
from skillweave.adapters.store.types import Version
from skillweave.scripts.exams.store_jobs import FAMILY, Material

from .shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path, made: Material) -> Shelf:
    """Five versions of four names."""
    shelf = Shelf(tmp_path / "store", made)
    shelf.put("sql-report", 1, description="Berichte über Verkäufe", licence="MIT")
    shelf.put("sql-report", 2, skill_name="SQL Report, again", aliases=("prod",))
    shelf.put("team/mail", 3, skill_name="Mail merge", kind="composed")
    shelf.put("team/map", 4, description="Draws a map of sales")
    shelf.put("a", 5, description='Quotes " and * and NEAR(')
    return shelf


def refs(versions: tuple[Version, ...] | list[Version]) -> list[str]:
    return [version.ref for version in versions]


def paged(store: Store, limit: int) -> list[Version]:
    found, after = [], None
    while True:
        page = store.page(after=after, limit=limit)
        found += page.versions
        after = page.next
        if after is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_pages_put_together_are_the_list(shelf: Shelf, limit: int) -> None:
    store = shelf.store
    assert refs(store.list()) == [
        "a@1",
        "sql-report@1",
        "sql-report@2",
        "team/mail@1",
        "team/map@1",
    ]
    assert paged(store, limit) == store.list()


def test_a_page_names_the_aliases_of_each_version(shelf: Shelf) -> None:
    page = shelf.store.page()
    assert page.aliases == (("default",), ("default",), ("prod",), ("default",), ("default",))
    assert page.next is None


def test_a_page_can_be_of_one_base_or_kind(shelf: Shelf) -> None:
    assert refs(shelf.store.page(kind="composed").versions) == ["team/mail@1"]
    assert len(shelf.store.page(base=FAMILY[:8]).versions) == 5
    assert shelf.store.page(base="0" * 64).versions == ()
    for cursor in ("sql-report@1", "x", "", "a@b@c"):
        with pytest.raises(UsageError, match="cannot go on after"):
            shelf.store.page(after=cursor)
    with pytest.raises(UsageError, match="at least 1"):
        shelf.store.page(limit=0)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("sql", ["sql-report@1", "sql-report@2"]),
        ("SQL again", ["sql-report@2"]),
        ("verkaufe", ["sql-report@1"]),  # accents and case do not count
        ("prod", ["sql-report@2"]),
        ("mit", ["sql-report@1"]),
        ("composed", ["team/mail@1"]),
        ("team ma", ["team/mail@1", "team/map@1"]),
        ("sql-report", ["sql-report@1", "sql-report@2"]),
        ('" OR * NEAR(', []),
        ('quotes " and near(', ["a@1"]),
        ("report mail", []),
        ("  ", []),
    ],
)
def test_search_wants_every_word(shelf: Shelf, words: str, found: list[str]) -> None:
    assert sorted(refs(shelf.store.search(words))) == found


def test_a_search_has_a_bound(shelf: Shelf) -> None:
    with pytest.raises(UsageError, match="33 words: at most 32"):
        shelf.store.search("word " * 33)


def test_a_name_counts_more_than_a_description(shelf: Shelf) -> None:
    assert refs(shelf.store.search("map"))[0] == "team/map@1"
    shelf.put("sales", 6)
    assert refs(shelf.store.search("sales")) == ["sales@1", "team/map@1"]
    assert refs(shelf.store.search("sales", limit=1)) == ["sales@1"]


@given(st.text(max_size=20))
def test_no_text_is_an_error_and_a_hit_holds_every_word(text: str) -> None:
    db = sqlite3.connect(":memory:")
    from skillweave.adapters.store import index_questions as questions
    from skillweave.adapters.store.index_rows import TABLES

    db.executescript(TABLES)
    db.execute("insert into versions values (1, 'a', 'b', 1, '', 'd', 'w', 'c', 'skill', '{}', '')")
    db.execute("insert into texts (rowid, id, description) values (1, 'a', ?)", (text,))
    found = [*questions.search(db, text, questions.Filter(), limit=5)]
    db.close()
    has_word = any(unicodedata.category(c)[0] in "LN" for c in text)
    assert len(found) <= 1
    assert has_word or not found


def current(root: Path) -> Path:
    """The file of the index in use."""
    return (root / "index.sqlite").resolve()


def garble(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1000)


def foreign(path: Path) -> None:
    path.unlink()
    db = sqlite3.connect(path)
    db.execute("create table t (x)")
    db.commit()
    db.close()


def other_boot(path: Path) -> None:
    """As after a restart; and rows that would be wrong, if they were believed."""
    db = sqlite3.connect(path)
    db.execute("update meta set value = 'long ago' where key = 'boot'")
    db.execute("delete from versions")
    db.commit()
    db.close()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "the link is gone": lambda path: (path.parents[1] / "index.sqlite").unlink(),
    "the file is gone": lambda path: path.unlink(),
    "all of it is gone": lambda path: shutil.rmtree(path.parent),
    "empty": lambda path: os.truncate(path, 0),
    "cut short": lambda path: os.truncate(path, 5000),
    "no database": garble,
    "a stranger's database": foreign,
    "from before a restart": other_boot,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
@pytest.mark.parametrize("opened", [False, True], ids=["opened after", "open meanwhile"])
def test_whatever_happens_to_the_index_the_answer_is_that_of_the_files(
    shelf: Shelf, damage: Callable[[Path], object], opened: bool
) -> None:
    before = shelf.store.list()
    store = shelf.store
    if opened and damage not in (garble, other_boot, DAMAGE["empty"], DAMAGE["cut short"]):
        store.page()
    damage(current(shelf.root))
    assert paged(store, 2) == before
    shelf.put("late", 9)
    assert refs(store.search("late")) == ["late@1"]
    assert paged(store, 3) == shelf.store.list()


def test_a_card_that_the_index_spoiled_is_read_from_its_object(shelf: Shelf) -> None:
    expected = {v.ref: v.card for v in shelf.store.list()}
    db = sqlite3.connect(current(shelf.root))
    db.execute("update versions set card = substr(card, 1, 40)")
    db.commit()
    db.close()
    assert {v.ref: v.card for v in shelf.store.page().versions} == expected


def test_an_index_is_not_believed_in_a_copy_of_the_store(shelf: Shelf, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(shelf.root, tmp_path / "copy", symlinks=True))
    shutil.rmtree(copy / "names" / "a")
    assert refs(Store(copy).page().versions)[0] == "sql-report@1"
    assert refs(shelf.store.page().versions)[0] == "a@1"


def test_another_process_is_seen_at_once(shelf: Shelf) -> None:
    mine, theirs = shelf.store, shelf.store
    assert len(mine.page().versions) == 5
    shelf.put("b", 6)
    theirs.tag("sql-report", "canary", 2)
    assert mine.page().aliases[3] == ("canary", "prod")
    theirs.remove("team/map", 1)
    assert refs(mine.page().versions) == [
        "a@1", "b@1", "sql-report@1", "sql-report@2", "team/mail@1",
    ]  # fmt: skip
    assert mine.search("canary") == [mine.resolve("sql-report@2")]


def test_a_marker_of_a_dead_writer_is_honoured_and_cleared(shelf: Shelf) -> None:
    """Its files changed, its index row did not: as if it had been killed in between."""
    store = shelf.store
    assert len(store.page().versions) == 5
    name = (AdapterId.parse("a"), FAMILY)
    store_pending.mark(Layout(shelf.root), DiskOps(), name)
    entry = shelf.root / "names" / "a" / FAMILY / "1.json"
    entry.rename(entry.with_suffix(".removed"))
    reader = Store(shelf.root, read_only=True)
    assert len(reader.page().versions) == 4
    assert os.listdir(shelf.root / "pending") != []  # a reader that may not write leaves it
    assert len(store.page().versions) == 4
    assert os.listdir(shelf.root / "pending") == []
    assert len(reader.page().versions) == 4


def test_changes_made_by_hand_count_after_a_list_an_fsck_or_a_rebuild(shelf: Shelf) -> None:
    store = shelf.store
    store.page()
    folder = shelf.root / "aliases" / "a" / FAMILY
    for alias, look in (
        ("by-list", lambda: store.list()),
        ("by-fsck", lambda: store.fsck()),
        ("by-rebuild", lambda: store.rebuild_index()),
    ):
        (folder / f"{alias}.json").write_text(json.dumps({"version": 1}))
        look()
        assert refs(store.search(alias)) == ["a@1"]
    (folder / "by-list.json").unlink()
    store.list()
    assert store.search("by-list") == []


def test_names_copied_in_are_seen_by_the_next_process(
    shelf: Shelf, made: Material, tmp_path: Path
) -> None:
    other = Shelf(tmp_path / "other", made)
    other.put("copied", 7)
    for folder in ("objects", "names", "aliases"):
        shutil.copytree(other.root / folder, shelf.root / folder, dirs_exist_ok=True)
    assert refs(shelf.store.search("copied")) == ["copied@1"]
    shutil.rmtree(shelf.root / "names" / "copied")
    assert shelf.store.search("copied") == []


def test_an_entry_changed_in_place_is_read_again(shelf: Shelf) -> None:
    entry = shelf.root / "names" / "a" / FAMILY / "1.json"
    document = json.loads(entry.read_text())
    shelf.store.list()
    entry.write_text(json.dumps(document | {"created_at": "2000-01-01T00:00:00+00:00"}))
    assert shelf.store.list()[0].created_at.startswith("2000")


@pytest.mark.parametrize("index", ["good", "none", "bad"])
def test_a_read_only_store_answers_and_writes_nothing(shelf: Shelf, index: str) -> None:
    expected = shelf.store.list()
    if index == "none":
        (shelf.root / "index.sqlite").unlink()
    if index == "bad":
        garble(current(shelf.root))
    before = shelf.tree()
    store = Store(shelf.root, read_only=True)
    assert paged(store, 2) == store.list() == expected
    assert refs(store.search("mail")) == ["team/mail@1"]
    assert store.resolve("sql-report@prod").number == 2
    assert store.fsck() == []
    assert shelf.tree() == before
    for change in (
        lambda: store.tag("a", "prod", 1),
        lambda: store.put_rows([]),
        lambda: store.remove("a", 1),
        lambda: store.gc(),
        lambda: store.rebuild_index(),
        lambda: store.attest(expected[0].version_digest, {}),
    ):
        with pytest.raises(StoreError, match="read-only"):
            change()
    assert shelf.tree() == before
    shelf.put("late", 9)
    assert refs(store.search("late")) == ["late@1"]


def test_reading_a_folder_that_is_no_store_makes_nothing(tmp_path: Path) -> None:
    assert Store(tmp_path).list() == []
    assert Store(tmp_path).page().versions == ()
    assert Store(tmp_path / "none", read_only=True).search("x") == []
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_died_inside_the_index_leaves_a_read_only_reader_its_answers(
    shelf: Shelf,
) -> None:
    version = shelf.put("one")
    shown = [v.ref for v in shelf.store.page().versions]
    reader = Store(shelf.root, read_only=True)
    assert "one@1" in shown
    assert [v.ref for v in reader.page().versions] == shown
    store_pending.mark(Layout(shelf.root), DiskOps(), (version.id, version.base))
    dying = """if True:
        import os, signal, sqlite3, sys
        db = sqlite3.connect(os.path.realpath(sys.argv[1]), isolation_level=None)
        db.execute("pragma synchronous = off")
        db.execute("begin immediate")
        db.execute("update meta set value = 'half' where key = 'tables'")
        db.execute("pragma cache_spill = 1")
        db.execute("create table half as select randomblob(4000000) as filler")
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", dying, str(shelf.root / "index.sqlite")], check=False)
    assert [*(shelf.root / "index").glob("*-journal")] != []  # a read-only reader cannot undo it
    for _ in range(2):
        assert [v.ref for v in reader.page().versions] == shown
    assert [v.ref for v in shelf.store.page().versions] == shown
