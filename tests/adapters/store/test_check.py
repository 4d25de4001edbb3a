"""`fsck` finds every kind of damage; `gc` frees what nothing names and nothing else."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.card import Card
from skillweave.adapters.errors import StoreError
from skillweave.adapters.store.store import Store
from skillweave.adapters.store.types import Version


@pytest.fixture
def version(
    store: Store, adapter_dir: Path, card: Card, base: BaseIdentity, skill_dir: Path
) -> Version:
    rows = store.put_rows([{"n": 1}])
    dated = card.model_copy(update={"data_digest": rows})
    found = store.put(adapter_dir, card=dated, name="a", skill_dir=skill_dir, base=base)
    store.attest(found.version_digest, {"score": 1})
    return found


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    data = change(path.read_bytes())
    path.unlink()
    path.write_bytes(data)


def flip_last(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def entry_of(version: Version) -> Path:
    return version.path.parents[1] / "names" / "a" / version.base / "1.json"


def alias_of(version: Version) -> Path:
    return version.path.parents[1] / "aliases" / "a" / version.base / "default.json"


DAMAGE: dict[str, tuple[Callable[[Version], object], set[str]]] = {
    "a flipped bit in the weights": (
        lambda v: rewrite(v.path / "adapter_model.safetensors", flip_last),
        {"corrupt_object"},
    ),
    "truncated weights": (
        lambda v: rewrite(v.path / "adapter_model.safetensors", lambda d: d[:-9]),
        {"corrupt_object"},
    ),
    "an edited config": (
        lambda v: rewrite(v.path / "adapter_config.json", lambda d: d + b" "),
        {"corrupt_object"},
    ),
    "an edited card": (
        lambda v: rewrite(v.path / "card.json", lambda d: d.replace(b"SQL", b"CSV")),
        {"corrupt_object"},
    ),
    "an edited skill": (
        lambda v: rewrite(v.path / "skill" / "SKILL.md", lambda d: d + b" "),
        {"corrupt_object"},
    ),
    "a skill file more": (
        lambda v: (v.path / "skill" / "more").write_text(""),
        {"corrupt_object"},
    ),
    "a lost skill file": (lambda v: (v.path / "skill" / "SKILL.md").unlink(), {"corrupt_object"}),
    "a lost object": (lambda v: shutil.rmtree(v.path), {"missing_object"}),
    "an empty entry": (lambda v: os.truncate(entry_of(v), 0), {"bad_entry"}),
    "an entry with other weights": (
        lambda v: rewrite(entry_of(v), lambda d: d.replace(v.weights_digest.encode(), b"0" * 64)),
        {"corrupt_object"},
    ),
    "an entry of no time": (
        lambda v: rewrite(
            entry_of(v), lambda d: d.replace(v.created_at.encode(), b"x" * len(v.created_at))
        ),
        {"bad_entry"},
    ),
    "a lost entry": (lambda v: entry_of(v).unlink(), {"dangling_alias"}),
    "a broken alias": (lambda v: os.truncate(alias_of(v), 0), {"bad_alias"}),
    "a lost default": (lambda v: alias_of(v).unlink(), {"no_default"}),
    "edited rows": (
        lambda v: rewrite(
            v.path.parents[1] / "rows" / f"{v.card.data_digest}.jsonl", lambda d: d + b"{}\n"
        ),
        {"corrupt_rows"},
    ),
    "lost rows": (
        lambda v: shutil.rmtree(v.path.parents[1] / "rows"),
        {"missing_rows"},
    ),
    "broken evidence": (
        lambda v: os.truncate(v.path.parents[1] / "attestations" / v.version_digest / "1.json", 3),
        {"bad_attestation"},
    ),
    "a broken base": (
        lambda v: os.truncate(v.path.parents[1] / "bases" / f"{v.base}.json", 3),
        {"bad_base"},
    ),
    "one of two entries with other weights": (
        lambda v: (
            rewrite(entry_of(v), lambda d: d.replace(v.weights_digest.encode(), b"0" * 64)),
            entry_of(v)
            .with_name("2.json")
            .write_bytes(entry_of(v).read_bytes().replace(b"0" * 64, v.weights_digest.encode())),
        ),
        {"corrupt_object"},
    ),
    "a file more in an object": (
        lambda v: (v.path / "evil.py").write_text(""),
        {"corrupt_object"},
    ),
    "another base's document": (
        lambda v: (v.path.parents[1] / "bases" / f"{v.base}.json").rename(
            v.path.parents[1] / "bases" / f"{'0' * 64}.json"
        ),
        {"bad_base"},
    ),
    "lost names": (
        lambda v: shutil.rmtree(v.path.parents[1] / "names" / "a"),
        {"dangling_alias"},
    ),
    "a stranger's folder": (
        lambda v: (v.path.parents[1] / "names" / "Not A Name").mkdir(),
        {"stray"},
    ),
    "a stranger among the objects": (
        lambda v: (v.path.parent / "hello").mkdir(),
        {"corrupt_object"},
    ),
}


@pytest.mark.parametrize(("damage", "codes"), DAMAGE.values(), ids=DAMAGE.keys())
def test_fsck_finds(
    store: Store, version: Version, damage: Callable[[Version], object], codes: set[str]
) -> None:
    assert store.fsck() == []
    damage(version)
    found = store.fsck()
    assert {problem.code for problem in found} == codes
    assert all(problem.message and problem.remedy for problem in found)


def unfinished(store: Store) -> list[Path]:
    return list(store.root.rglob(".tmp-*"))


def test_gc_frees_removed_versions_old_rows_and_unfinished_work(
    store: Store, version: Version, adapter_dir: Path, card: Card
) -> None:
    extra = store.put(adapter_dir, card=card, name="a")
    loose = store.put_rows([{"n": 2}])
    for folder in ("objects", f"names/a/{version.base}", f"aliases/a/{version.base}", "rows"):
        (store.root / folder / ".tmp-dead").mkdir()
        (store.root / folder / ".tmp-dead" / "x").write_bytes(b"123")
    store.remove("a", extra.number)
    assert extra.path.is_dir()  # still there for who serves it
    assert store.gc(keep=[extra.version_digest]).removed == (
        f"aliases/a/{version.base}/.tmp-dead",
        f"names/a/{version.base}/.tmp-dead",
        "objects/.tmp-dead",
        "rows/.tmp-dead",
    )
    report = store.gc()
    assert report.removed == (f"objects/{extra.version_digest}",)
    assert report.freed_bytes > 1000
    assert not extra.path.exists()
    assert store.get_rows(loose) == [{"n": 2}]
    assert store.gc(rows_min_age_s=0).removed == (f"rows/{loose}.jsonl",)
    assert store.gc(rows_min_age_s=0).removed == ()
    assert unfinished(store) == []
    assert store.list() == [version]
    assert store.get_rows(str(version.card.data_digest)) == [{"n": 1}]
    assert store.fsck() == []


def test_gc_touches_nothing_in_a_store_whose_names_it_cannot_read(
    store: Store, version: Version
) -> None:
    os.truncate(entry_of(version), 0)
    with pytest.raises(StoreError, match="run fsck"):
        store.gc()
    assert version.path.is_dir()


@pytest.mark.parametrize("change", [flip_last, lambda data: data[:50]])
def test_adding_again_after_damage_is_refused_until_it_is_cleared(
    store: Store,
    version: Version,
    adapter_dir: Path,
    skill_dir: Path,
    change: Callable[[bytes], bytes],
) -> None:
    rewrite(version.path / "adapter_model.safetensors", change)
    with pytest.raises(StoreError, match="damaged"):
        store.put(adapter_dir, card=version.card, name="b", skill_dir=skill_dir)
    store.remove("a", 1)
    store.gc()
    again = store.put(adapter_dir, card=version.card, name="b", skill_dir=skill_dir)
    assert again.version_digest == version.version_digest
    assert store.fsck() == []


def test_export_takes_only_what_belongs_to_an_object(
    store: Store, version: Version, tmp_path: Path
) -> None:
    (version.path / "evil.py").write_text("")
    store.export_bundle(["a"], tmp_path / "a.bundle")
    assert b"evil.py" not in (tmp_path / "a.bundle").read_bytes()
    (arrived,) = Store(tmp_path / "there").import_bundle(tmp_path / "a.bundle")
    assert arrived.version_digest == version.version_digest
