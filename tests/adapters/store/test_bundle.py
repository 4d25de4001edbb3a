"""Bundles: the same digests on the other side, and nothing at all from one that is not sound."""

import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.card import Card, Parent
from skillweave.adapters.digests import sha256_hex
from skillweave.adapters.errors import AdapterRefused, NotFound, StoreError, UsageError
from skillweave.adapters.file_ops import DiskOps
from skillweave.adapters.store import bundle as bundles
from skillweave.adapters.store.bundle import open_bundle
from skillweave.adapters.store.schema import Quotas
from skillweave.adapters.store.store import Store
from skillweave.scripts.exams.store_jobs import NAME, Material

from .shelf import Shelf

Document = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return Material(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def sound(made: Material) -> bytes:
    """Two versions, a skill, evidence, an alias and training rows."""
    return made.bundle.read_bytes()


@pytest.fixture
def target(tmp_path: Path) -> Store:
    return Store(tmp_path / "target")


def manifest_of(data: bytes) -> tuple[Document, bytes]:
    head, _, rest = data.partition(b"\n")
    length = int(head.split()[-1])
    return json.loads(rest[:length]), rest[length + 1 :]


def with_manifest(document: object, content: bytes) -> bytes:
    raw = json.dumps(document).encode()
    return b"skillweave-bundle 1 %d\n" % len(raw) + raw + b"\n" + content


def with_twice(data: bytes) -> bytes:
    """The same bundle, its format said twice."""
    document, content = manifest_of(data)
    raw = b'{"format":1,' + json.dumps(document).encode()[1:]
    return b"skillweave-bundle 1 %d\n" % len(raw) + raw + b"\n" + content


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


def test_too_much_unpacked_is_refused(sound: bytes) -> None:
    sizes = {blob["sha256"]: blob["size_bytes"] for blob in manifest_of(sound)[0]["blobs"]}
    versions = manifest_of(sound)[0]["versions"]
    total = sum(sizes[file["sha256"]] for v in versions for file in v["files"].values())
    open_bundle(Path("x"), io.BytesIO(sound), max_unpacked_bytes=total)
    with pytest.raises(AdapterRefused, match="too_large"):
        open_bundle(Path("x"), io.BytesIO(sound), max_unpacked_bytes=total - 1)


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


def rename(files: Document, old: str, new: str) -> None:
    files[new] = files.pop(old)


def skill_of(document: Document) -> Document:
    return next(v["files"] for v in document["versions"] if "skill/SKILL.md" in v["files"])


BAD: dict[str, tuple[Callable[[Document], object], str]] = {
    "a way up": (lambda d: rename(skill_of(d), "skill/SKILL.md", "skill/../../x"), "unsafe_name"),
    "an absolute path": (lambda d: rename(skill_of(d), "skill/SKILL.md", "/etc/x"), "unsafe_name"),
    "beside the skill": (lambda d: rename(skill_of(d), "skill/SKILL.md", "x.py"), "unsafe_name"),
    "a dot": (lambda d: rename(skill_of(d), "skill/SKILL.md", "skill/./x"), "unsafe_name"),
    "an empty part": (lambda d: rename(skill_of(d), "skill/SKILL.md", "skill//x"), "unsafe_name"),
    "only the folder": (lambda d: rename(skill_of(d), "skill/SKILL.md", "skill/"), "unsafe_name"),
    "a NUL": (lambda d: rename(skill_of(d), "skill/SKILL.md", "skill/a\0b"), "unsafe_name"),
    "a file as a folder": (
        lambda d: skill_of(d).update({"skill/scripts": skill_of(d)["skill/SKILL.md"]}),
        "unsafe_name",
    ),
    "a long name": (
        lambda d: rename(skill_of(d), "skill/SKILL.md", "skill/" + "x" * 300),
        "unsafe_name",
    ),
    "no card": (lambda d: d["versions"][0]["files"].pop("card.json"), "bad_bundle"),
    "an unknown field": (lambda d: d.update(link="/etc"), "bad_bundle"),
    "no versions": (lambda d: d.update(versions=[]), "bad_bundle"),
    "a blob twice": (lambda d: d["blobs"].append(d["blobs"][0] | {"size_bytes": 0}), "bad_bundle"),
    "a blob for nothing": (
        lambda d: d["blobs"].append({"sha256": sha256_hex(b""), "size_bytes": 0}),
        "bad_bundle",
    ),
    "a blob too few": (
        lambda d: d["versions"][0]["files"]["card.json"].update(sha256="0" * 64),
        "bad_bundle",
    ),
    "more bytes announced than there are": (
        lambda d: d["blobs"][0].update(size_bytes=1 << 60),
        "truncated_bundle",
    ),
    "a negative size": (lambda d: d["blobs"][0].update(size_bytes=-1), "bad_bundle"),
    "an id that is none": (lambda d: d["versions"][0].update(id="../x"), "unsafe_name"),
    "an alias that is none": (lambda d: d["versions"][0].update(aliases=["../x"]), "unsafe_name"),
    "another version digest": (
        lambda d: d["versions"][0].update(version_digest="0" * 64),
        "wrong_digest",
    ),
    "another weights digest": (
        lambda d: d["versions"][1].update(weights_digest="0" * 64),
        "wrong_digest",
    ),
    "filed under another base": (lambda d: d["versions"][0].update(base="0" * 64), "bad_bundle"),
    "another version's config": (
        lambda d: d["versions"][0]["files"].update(
            {"adapter_config.json": d["versions"][0]["files"]["card.json"]}
        ),
        "bad_config",
    ),
    "a file that may be run": (
        lambda d: skill_of(d)["skill/SKILL.md"].update(executable=True),
        "wrong_digest",
    ),
    "a time that is none": (
        lambda d: d["versions"][0].update(created_at="\x1b[31m2026"),
        "bad_bundle",
    ),
    "too much evidence": (
        lambda d: d["versions"][0].update(attestations=[{"n": 1}] * 1001),
        "bad_bundle",
    ),
    "one digest, two contents": (
        lambda d: d["versions"][0].update(version_digest=d["versions"][1]["version_digest"]),
        "bad_bundle",
    ),
    "rows that are none": (
        lambda d: d["rows"].append(
            d["versions"][0]["files"]["adapter_model.safetensors"]["sha256"]
        ),
        "bad_bundle",
    ),
}


def refusal(target: Store, path: Path, data: bytes) -> set[str]:
    """The codes of a refusal that leaves nothing behind."""
    path.write_bytes(data)
    with pytest.raises(AdapterRefused) as refused:
        target.import_bundle(path, aliases=True)
    assert target.list() == []
    assert target.fsck() == []
    for folder in ("objects", "names", "aliases", "rows", "imports", "attestations"):
        assert [*(target.root / folder).glob("*")] == []
    return {problem.code for problem in refused.value.problems}


@pytest.mark.parametrize(("spoil", "code"), BAD.values(), ids=BAD.keys())
def test_a_spoiled_manifest_is_refused_whole(
    sound: bytes,
    target: Store,
    tmp_path: Path,
    spoil: Callable[[Document], object],
    code: str,
) -> None:
    document, content = manifest_of(sound)
    spoil(document)
    codes = refusal(target, tmp_path / "bad", with_manifest(document, content))
    assert code in codes
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda d: d[: len(d) // 2], "truncated_bundle"),
        (lambda d: d[:-1], "truncated_bundle"),
        (lambda d: d[:100], "truncated_bundle"),
        (lambda d: d[:15], "bad_bundle"),
        (lambda d: d[:25], "truncated_bundle"),
        (lambda d: d + b"x", "bad_bundle"),
        (lambda d: with_twice(d), "bad_bundle"),
        (lambda d: d[:-1] + bytes([d[-1] ^ 1]), "wrong_digest"),
        (lambda d: b"", "bad_bundle"),
        (lambda d: b"PK\x03\x04" + d, "bad_bundle"),
        (lambda d: d.replace(b"bundle 1", b"bundle 2", 1), "newer_bundle"),
        (lambda d: b"skillweave-bundle 1 999999999999\n{}", "too_large"),
        (lambda d: b"skillweave-bundle 1 20000\n" + b"[" * 20_000 + b"\n", "bad_bundle"),
    ],
)
def test_spoiled_bytes_are_refused_whole(
    sound: bytes, target: Store, tmp_path: Path, spoil: Callable[[bytes], bytes], code: str
) -> None:
    assert refusal(target, tmp_path / "bad", spoil(sound)) == {code}


@settings(max_examples=60)
@given(data=st.data())
def test_no_flipped_byte_of_the_manifest_gets_past_or_breaks_anything(
    data: st.DataObject, sound: bytes
) -> None:
    size = int(sound.split(b"\n", 1)[0].split()[-1]) + 30
    at = data.draw(st.integers(0, size - 1))
    spoiled = sound[:at] + bytes([data.draw(st.integers(0, 255))]) + sound[at + 1 :]
    try:
        open_bundle(Path("x"), io.BytesIO(spoiled))
        codes = set()  # what is left is for the digests to judge
    except AdapterRefused as err:
        codes = {problem.code for problem in err.problems}
    assert codes <= set(str(bundles.__doc__).split())


def test_nan_in_an_adapter_is_refused_with_its_neighbours(
    made: Material, tmp_path: Path, target: Store
) -> None:
    """The gate stands here too: one bad version keeps the others out."""
    import torch
    from skillweave.adapters.delta import Delta
    from skillweave.adapters.peft_folder.deltas import write_peft

    shelf = Shelf(tmp_path / "here", made)
    shelf.put("good", 1)
    version = shelf.put("bad", 2, weights=2)
    module = "model.layers.0.self_attn.q_proj"
    nan = tmp_path / "nan"
    write_peft({module: Delta(torch.full((2, 8), float("nan")), torch.zeros(16, 2), 1.0)}, nan)
    shelf.store.export_bundle(["good", "bad"], tmp_path / "two")
    document, content = manifest_of((tmp_path / "two").read_bytes())
    old = next(v for v in document["versions"] if v["id"] == "bad")["files"][
        "adapter_model.safetensors"
    ]["sha256"]
    spoiled = (nan / "adapter_model.safetensors").read_bytes()
    parts = []
    for blob in document["blobs"]:
        part, content = content[: blob["size_bytes"]], content[blob["size_bytes"] :]
        if blob["sha256"] == old:
            part = spoiled
            blob |= {"sha256": sha256_hex(spoiled), "size_bytes": len(spoiled)}
        parts.append(part)
    text = json.dumps(document).replace(old, sha256_hex(spoiled))
    data = with_manifest(json.loads(text), b"".join(parts))
    assert refusal(target, tmp_path / "bad.bundle", data) == {"not_finite"}
    assert version.path.is_dir()


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
