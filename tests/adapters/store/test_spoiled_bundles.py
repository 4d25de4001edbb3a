"""A bundle that is not sound is refused whole: nothing of it is in the store."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.adapters.digests import sha256_hex
from skillweave.adapters.errors import AdapterRefused
from skillweave.adapters.store import bundle as bundles
from skillweave.adapters.store.bundle import open_bundle
from skillweave.adapters.store.store import Store
from skillweave.scripts.exams.store_jobs import Material

from .bundle_bytes import BAD, Document, manifest_of, with_manifest, with_twice
from .shelf import Shelf


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


def test_too_much_unpacked_is_refused(sound: bytes) -> None:
    sizes = {blob["sha256"]: blob["size_bytes"] for blob in manifest_of(sound)[0]["blobs"]}
    versions = manifest_of(sound)[0]["versions"]
    total = sum(sizes[file["sha256"]] for v in versions for file in v["files"].values())
    open_bundle(Path("x"), io.BytesIO(sound), max_unpacked_bytes=total)
    with pytest.raises(AdapterRefused, match="too_large"):
        open_bundle(Path("x"), io.BytesIO(sound), max_unpacked_bytes=total - 1)
