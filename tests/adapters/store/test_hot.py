"""A reference that was resolved before: right at once after anybody changed what it hangs on."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from skillweave.adapters.errors import NotFound, StoreError
from skillweave.adapters.store.hot import MARGIN_NS, HotRefs
from skillweave.adapters.store.layout import Layout
from skillweave.adapters.store.store import Store
from skillweave.adapters.store.types import Version
from skillweave.scripts.exams.store_jobs import FAMILY, Material, card

from .shelf import Shelf

REFS = ("a", "a@prod", "a@latest", "a@1")


@pytest.fixture
def shelf(tmp_path: Path, made: Material) -> Shelf:
    """`a@1`, also `prod`, and `a@2`; old enough to be trusted."""
    shelf = Shelf(tmp_path / "store", made)
    shelf.put("a", 1, aliases=("prod",))
    shelf.put("a", 2)
    time.sleep(1.3 * MARGIN_NS / 1e9)
    return shelf


def warm(store: Store) -> dict[str, Version]:
    """Resolve all, twice."""
    for ref in REFS:
        store.resolve(ref)
    return {ref: store.resolve(ref) for ref in REFS}


def in_place(shelf: Shelf) -> None:
    path = shelf.root / "aliases" / "a" / FAMILY / "prod.json"
    path.write_text(json.dumps({"version": 2}))


def kept_times(shelf: Shelf) -> None:
    """As a copying tool would: other bytes of the same length, the time of the old ones."""
    path = shelf.root / "aliases" / "a" / FAMILY / "prod.json"
    seen = path.stat()
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":2'))
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


CHANGES: dict[str, tuple[Callable[[Shelf], object], str, int]] = {
    "tag": (lambda s: s.store.tag("a", "prod", 2), "a@prod", 2),
    "rollback": (
        lambda s: (s.store.tag("a", "prod", 2), s.store.rollback("a", alias="prod")),
        "a@prod",
        1,
    ),
    "put": (lambda s: s.put("a", 3), "a@latest", 3),
    "an alias edited in place": (in_place, "a@prod", 2),
    "an alias edited in place, its time set back": (kept_times, "a@prod", 2),
    "put that moves default": (lambda s: s.put("a", 3, aliases=("default",)), "a", 3),
}


@pytest.mark.parametrize(("change", "ref", "number"), CHANGES.values(), ids=CHANGES.keys())
def test_a_change_by_somebody_else_is_seen_at_once(
    shelf: Shelf, change: Callable[[Shelf], object], ref: str, number: int
) -> None:
    store = shelf.store
    warm(store)
    change(shelf)
    assert store.resolve(ref).number == number
    assert store.resolve("a@1").number == 1


def test_what_is_removed_is_gone_at_once(shelf: Shelf) -> None:
    store = shelf.store
    assert store.resolve("a@2").number == 2
    shelf.store.remove("a", 2)
    assert store.resolve("a@latest").number == 1
    with pytest.raises(NotFound, match="no version 2"):
        store.resolve("a@2")
    shelf.store.remove("a", 1)
    for ref in REFS:
        with pytest.raises(NotFound):
            store.resolve(ref)


def test_a_lost_object_is_not_handed_out(shelf: Shelf) -> None:
    store = shelf.store
    version = warm(store)["a"]
    shutil.rmtree(version.path)
    with pytest.raises(StoreError, match="run fsck"):
        store.resolve("a")


def test_a_second_base_makes_a_name_ambiguous_at_once(shelf: Shelf, made: Material) -> None:
    store = shelf.store
    warm(store)
    base = card(1).base.model_copy(update={"family_digest": "e" * 64})
    there = shelf.put("a", 1, base=base)
    with pytest.raises(NotFound, match="exists for 2 bases"):
        store.resolve("a")
    assert store.resolve("a", base="e" * 8) == there
    shelf.store.remove("a", 1, base="e" * 64)
    assert store.resolve("a").base == FAMILY
    shelf.put("a", 2, base=base)  # into a folder that is there already
    with pytest.raises(NotFound, match="exists for 2 bases"):
        store.resolve("a")


def test_an_answer_is_kept_only_when_the_files_are_old_enough(shelf: Shelf) -> None:
    """Counts how often the files are read."""
    hot, reads = HotRefs(Layout(shelf.root)), []
    answer = shelf.store.resolve("a@prod")

    def read() -> Version:
        reads.append(1)
        return answer

    assert hot.get("a@prod", None) is None
    hot.keep("a@prod", None, alias="prod", read=read)
    assert len(reads) == 2  # once more after it was looked at
    assert hot.get("a@prod", None) is answer
    shelf.store.tag("a", "prod", 2)
    assert hot.get("a@prod", None) is None
    hot.keep("a@prod", None, alias="prod", read=read)
    assert hot.get("a@prod", None) is None  # too young to be told from the next change
    assert len(reads) == 3
