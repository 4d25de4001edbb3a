"""Bundles: the same digests on the other side. What is not sound: `test_spoiled_bundles.py`."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.card import Card, Parent
from skillweave.adapters.errors import AdapterRefused, NotFound, StoreError, UsageError
from skillweave.adapters.file_ops import DiskOps
from skillweave.adapters.store.schema import Quotas
from skillweave.adapters.store.store import Store
from skillweave.scripts.exams.store_jobs import NAME, Material

from .bundle_bytes import manifest_of, with_manifest
from .shelf import Shelf


def test_what_arrives_is_what_left(made: Material, target: Store, tmp_path: Path) -> None:
    source = Store(made.folder / "source")
    arrived = target.import_bundle(made.bundle, trust_evidence=True)
    left = source.list()
    assert [v.version_digest for v in sorted(arrived, key=lambda v: str(v.id))] == [
        v.version_digest for v in left
    ]
    assert [v.created_at for v in target.list()] == [v.created_at for v in left]
    for here, there in zip(target.list(), left, strict=True):
        assert here.weights_digest == there.weights_digest
        assert target.attestations(here.version_digest) == source.attestations(there.version_digest)
        files = {p.relative_to(here.path) for p in here.path.rglob("*") if p.is_file()}
        assert files == {p.relative_to(there.path) for p in there.path.rglob("*") if p.is_file()}
        for file in files:
            assert (here.path / file).read_bytes() == (there.path / file).read_bytes()
    assert target.get_rows(str(arrived[1].card.data_digest)) == [{"n": 1}, {"n": 2}]
    assert target.aliases(NAME) == {"default": 1}
    assert target.fsck() == []
    weights = [v.path / "adapter_model.safetensors" for v in target.list()]
    assert weights[0].samefile(weights[1])  # they were one blob


def test_the_same_versions_are_the_same_bytes(made: Material, tmp_path: Path) -> None:
    source = Store(made.folder / "source")
    for n, refs in enumerate([[NAME, "other"], ["other@1", f"{NAME}@latest", NAME]]):
        source.export_bundle(refs, tmp_path / str(n), aliases=True, rows=True)
    assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()
    there = Store(tmp_path / "there")
    there.import_bundle(tmp_path / "0", aliases=True, trust_evidence=True)
    there.export_bundle([NAME, "other"], tmp_path / "again", aliases=True, rows=True)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "0").read_bytes()


def test_numbers_are_new_and_what_is_here_stays_one_version(made: Material, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "target", made)
    shelf.put(NAME, 50)
    arrived = shelf.store.import_bundle(made.bundle)
    assert sorted(v.ref for v in arrived) == ["other@1", f"{NAME}@2"]
    assert shelf.store.import_bundle(made.bundle) == arrived
    assert shelf.store.aliases(NAME) == {"default": 1}
    shelf.store.import_bundle(made.bundle, aliases=True)
    assert shelf.store.aliases(NAME) == {"default": 2, "prod": 2}
    assert len(shelf.store.attestations(shelf.store.resolve(NAME).version_digest)) == 1


def test_evidence_of_a_bundle_is_hearsay_unless_it_is_trusted(
    made: Material, tmp_path: Path
) -> None:
    shelf = Shelf(tmp_path / "here", made)
    digest = shelf.put("a", 1).version_digest
    proof = {"type": "precision", "precision": "nf4", "verified": True}
    shelf.store.attest(digest, proof)
    shelf.store.export_bundle(["a"], tmp_path / "a.bundle")
    there = Store(tmp_path / "there")
    for _ in range(2):
        there.import_bundle(tmp_path / "a.bundle")
        assert there.verified_precisions(digest) == frozenset()
        (heard,) = there.attestations(digest)
        assert (heard["type"], heard["evidence"]) == ("imported", proof)
    there.import_bundle(tmp_path / "a.bundle", trust_evidence=True)
    assert there.verified_precisions(digest) == {"nf4"}
    shelf.store.import_bundle(tmp_path / "a.bundle")  # one's own comes back: nothing to add
    assert shelf.store.attestations(digest) == [proof]


def test_a_version_under_many_names_is_unpacked_once(
    made: Material, sound: bytes, tmp_path: Path
) -> None:
    document, content = manifest_of(sound)
    one = document["versions"][0]
    document["versions"] = [one | {"id": f"n{k}"} for k in range(20)] + document["versions"][1:]
    (tmp_path / "many").write_bytes(with_manifest(document, content))
    copied: list[Path] = []

    class Counting(DiskOps):
        def copy(self, source: Path, target: Path, *, executable: bool) -> str:
            copied.append(target)
            return super().copy(source, target, executable=executable)

    target = Store(tmp_path / "target", ops=Counting(durable=False))
    target.set_quotas(Quotas(bytes=20_000))
    arrived = target.import_bundle(tmp_path / "many")
    assert len(arrived) == 21
    names = [path.name for path in copied]
    assert sum(name.endswith(".weights") for name in names) == 1
    assert names.count("card.json") == 2
    assert target.usage().bytes <= 20_000
    assert target.fsck() == []


def test_missing_parents_are_reported(made: Material, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "here", made)
    parent = shelf.put("parent", 1)
    child = shelf.put("child", 2, parents=(Parent(version_digest=parent.version_digest),))
    assert shelf.store.missing_parents(child) == ()
    shelf.store.export_bundle(["child"], tmp_path / "child.bundle")
    there = Store(tmp_path / "there")
    (arrived,) = there.import_bundle(tmp_path / "child.bundle")
    assert [p.version_digest for p in there.missing_parents(arrived)] == [parent.version_digest]


def test_export_refuses_what_it_cannot_do(made: Material, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "here", made)
    version = shelf.put("a", 1)
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(StoreError, match="never written over"):
        shelf.store.export_bundle(["a"], tmp_path / "taken")
    with pytest.raises(UsageError, match="nothing"):
        shelf.store.export_bundle([], tmp_path / "new")
    with pytest.raises(NotFound):
        shelf.store.export_bundle(["a", "b"], tmp_path / "new")
    config = version.path / "adapter_config.json"
    data = config.read_bytes()
    config.unlink()
    config.write_bytes(data + b" ")
    with pytest.raises(StoreError, match="run fsck"):
        shelf.store.export_bundle(["a"], tmp_path / "new")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["here", "taken"]


def test_a_quota_counts_for_an_import(made: Material, target: Store) -> None:
    target.set_quotas(Quotas(bytes=1000))
    with pytest.raises(StoreError, match="allowed are 1000"):
        target.import_bundle(made.bundle)
    target.set_quotas(Quotas(namespaces={"team": 100}))
    with pytest.raises(StoreError, match="namespace 'team'"):
        target.import_bundle(made.bundle)
    assert target.list() == []


def test_a_decided_import_is_carried_through_by_the_next_writer(
    made: Material, target: Store, tmp_path: Path
) -> None:
    """As if the importer had died right after it had decided."""
    target.import_bundle(made.bundle)
    expected = target.list()
    other = Store(tmp_path / "other")
    other.put_rows([])
    for folder in ("objects", "rows"):
        shutil.copytree(target.root / folder, other.root / folder, dirs_exist_ok=True)
    namings = [
        {
            "id": str(v.id),
            "base": v.base,
            "entry": {
                "version_digest": v.version_digest,
                "weights_digest": v.weights_digest,
                "created_at": v.created_at,
            },
        }
        for v in expected
    ]
    (other.root / "imports").mkdir()
    (other.root / "imports" / "0.json").write_text(json.dumps({"namings": namings}))
    assert other.list() == []
    assert other.fsck() == []
    assert [v.version_digest for v in other.list()] == [v.version_digest for v in expected]
    assert os.listdir(other.root / "imports") == []


def test_names_and_shapes_are_held_against_the_base_that_comes_along(
    tmp_path: Path, adapter_dir: Path, card: Card, base: BaseIdentity, target: Store
) -> None:
    source = Store(tmp_path / "source")
    source.put(adapter_dir, card=card, name="a", base=base)
    source.export_bundle(["a"], tmp_path / "a.bundle")
    assert target.import_bundle(tmp_path / "a.bundle")[0].ref == "a@1"
    assert target.known_base(base.family_digest) is None  # a stranger's word is not kept
    with pytest.raises(AdapterRefused, match="wrong_base"):
        target.import_bundle(tmp_path / "a.bundle", base=replace(base, family_digest="e" * 64))
    other = Store(tmp_path / "other")
    lies = replace(base, modules=dict.fromkeys(base.modules, (1, 1)))
    known = other.root / "bases" / f"{base.family_digest}.json"
    known.parent.mkdir(parents=True)
    known.write_bytes(lies.to_json())
    with pytest.raises(AdapterRefused, match="wrong_shape"):
        other.import_bundle(tmp_path / "a.bundle")
    assert other.import_bundle(tmp_path / "a.bundle", base=base)[0].ref == "a@1"
    assert target.import_bundle(tmp_path / "a.bundle", base=base)[0].ref == "a@1"
    assert target.known_base(base.family_digest) == base
