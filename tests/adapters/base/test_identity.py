"""Base identity: what it is made of, what it ignores, and which adapters fit."""

import hashlib
import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from skillweave.adapters.base.file_hashes import file_sha256
from skillweave.adapters.base.identity import (
    BaseIdentity,
    base_problems,
    check_same_family,
    identify_base,
)
from skillweave.adapters.digests import canonical_json, sha256_hex
from skillweave.adapters.errors import BaseMismatch, UsageError
from transformers import Qwen3ForCausalLM


@pytest.fixture
def copy(base_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base_dir, tmp_path / "copy"))


def test_the_family_is_the_digest_of_the_sorted_file_hashes(
    base_dir: Path, base: BaseIdentity
) -> None:
    sha = hashlib.sha256((base_dir / "model.safetensors").read_bytes()).hexdigest()
    assert base.family_digest == sha256_hex(canonical_json([sha]))
    assert (base.precision, base.architecture) == ("fp32", "Qwen3ForCausalLM")


def test_modules_are_the_linear_layers_with_their_shapes(
    base_dir: Path, base: BaseIdentity
) -> None:
    model = Qwen3ForCausalLM.from_pretrained(base_dir)
    linear = {
        name: tuple(module.weight.shape)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and name != "lm_head"  # tied, so not in the files
    }
    assert base.modules == linear
    assert base.modules["model.layers.0.mlp.down_proj"] == (32, 48)


def test_place_name_and_template_do_not_make_another_family(copy: Path, base: BaseIdentity) -> None:
    (copy / "model.safetensors").rename(copy / "weights.safetensors")
    (copy / "chat_template.jinja").write_text("another")
    (copy / "README.md").write_text("more")
    moved = identify_base(copy)
    check_same_family(base, moved)
    assert moved.template_digest != base.template_digest


def test_weights_tokenizer_and_shapes_do(copy: Path, base: BaseIdentity) -> None:
    (copy / "tokenizer.json").write_text("{}")
    with pytest.raises(BaseMismatch, match="differ in tokenizer"):
        check_same_family(base, identify_base(copy))
    tensors = load_file(copy / "model.safetensors")
    tensors["model.norm.weight"] += 1
    save_file(tensors, copy / "model.safetensors")
    other = identify_base(copy)
    with pytest.raises(BaseMismatch, match="weights, tokenizer") as caught:
        check_same_family(base, other)
    assert base.family_digest in str(caught.value)
    assert other.family_digest in str(caught.value)
    reshaped = replace(base, modules={**base.modules, "model.layers.0.mlp.up_proj": (1, 1)})
    with pytest.raises(BaseMismatch, match="module shapes"):
        check_same_family(base, reshaped)


def test_sharded_weights_are_followed_through_their_index(copy: Path, base: BaseIdentity) -> None:
    tensors = load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    names = sorted(tensors)
    weight_map = {}
    for number, part in enumerate((names[::2], names[1::2])):
        save_file({n: tensors[n] for n in part}, copy / f"part-{number}.safetensors")
        weight_map |= dict.fromkeys(part, f"part-{number}.safetensors")
    index = copy / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": weight_map}))
    assert identify_base(copy).modules == base.modules
    (copy / "part-1.safetensors").unlink()
    with pytest.raises(UsageError, match=r"part-1\.safetensors"):
        identify_base(copy)
    index.write_text(json.dumps({"weight_map": {"a": "../elsewhere"}}))
    with pytest.raises(UsageError, match="files of this folder"):
        identify_base(copy)


def test_a_quantised_copy_names_its_original(copy: Path, base: BaseIdentity) -> None:
    config = json.loads((copy / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "awq", "bits": 4}
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "model.safetensors").unlink()
    quantised = identify_base(copy, original=base)
    assert quantised.precision == "awq"
    check_same_family(base, quantised)
    assert identify_base(copy, original=base, precision="nf4").precision == "nf4"


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_an_incomplete_folder_is_refused_by_name(copy: Path, missing: str) -> None:
    (copy / missing).unlink()
    with pytest.raises(UsageError, match=r"config\.json|safetensors|tokenizer"):
        identify_base(copy)


def test_a_truncated_weights_file_is_refused(copy: Path) -> None:
    os.truncate(copy / "model.safetensors", 1000)
    with pytest.raises(UsageError, match="no safetensors file"):
        identify_base(copy)


def test_an_identity_survives_json(base: BaseIdentity) -> None:
    assert BaseIdentity.from_json(base.to_json()) == base
    with pytest.raises(ValueError, match="validation error"):
        BaseIdentity.from_json(b'{"modules": {}}')


def test_which_bases_an_adapter_may_run_on(base: BaseIdentity) -> None:
    wanted = base.for_card()
    assert base_problems(wanted, base) == ()
    other = replace(base, family_digest="f" * 64)
    (problem,) = base_problems(wanted, other)
    assert problem.code == "wrong_base"
    assert base.family_digest in problem.message
    assert other.family_digest in problem.message
    assert base_problems(wanted, other, accept_base=True) == ()
    nf4 = replace(base, precision="nf4")
    assert [p.code for p in base_problems(wanted, nf4)] == ["other_precision"]
    assert base_problems(wanted, nf4, verified=["nf4"]) == ()
    assert base_problems(wanted, nf4, accept_base=True) == ()
    foreign = replace(base, tokenizer_digest="e" * 64)
    assert [p.code for p in base_problems(wanted, foreign, accept_base=True)] == ["wrong_tokenizer"]


def test_hashes_are_cached_until_the_file_changes(tmp_path: Path) -> None:
    file, cache = tmp_path / "w", tmp_path / "cache"
    file.write_bytes(b"one")
    assert file_sha256(file, cache) == sha256_hex(b"one")
    (entry,) = cache.iterdir()
    known = json.loads(entry.read_text())
    entry.write_text(json.dumps({**known, "sha256": "a" * 64}))
    assert file_sha256(file, cache) == "a" * 64  # it really came from the cache
    file.write_bytes(b"two!")
    assert file_sha256(file, cache) == sha256_hex(b"two!")
    entry.write_text("{")
    assert file_sha256(file, cache) == sha256_hex(b"two!")


def test_hub_blobs_need_no_hashing_and_a_dead_cache_no_failure(tmp_path: Path) -> None:
    blob = tmp_path / "blobs" / ("b" * 64)
    blob.parent.mkdir()
    blob.write_bytes(b"not hashed")
    (tmp_path / "link").symlink_to(blob)
    assert file_sha256(tmp_path / "link", tmp_path / "cache") == "b" * 64
    (tmp_path / "no-folder").write_text("a file")
    assert file_sha256(tmp_path / "no-folder", tmp_path / "no-folder") == sha256_hex(b"a file")


def test_the_second_look_reads_only_the_cache_and_sees_every_change(
    copy: Path, base: BaseIdentity, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    settle(copy)
    first = identify_base(copy, cache_dir=cache)
    (entry,) = cache.glob("base-*.json")
    head, _, body = entry.read_bytes().partition(b"\n")
    told = body.replace(b"Qwen3ForCausalLM", b"FromTheCache")
    entry.write_bytes(
        head.replace(sha256_hex(body).encode(), sha256_hex(told).encode()) + b"\n" + told
    )
    assert identify_base(copy, cache_dir=cache).architecture == "FromTheCache"
    assert identify_base(copy, cache_dir=cache, precision="nf4").precision == "nf4"
    for name in ("config.json", "chat_template.jinja", "tokenizer.json", "model.safetensors"):
        old = (copy / name).read_bytes()
        (copy / name).write_bytes(old)  # the same bytes: another state, so it is looked at again
        settle(copy)
        assert identify_base(copy, cache_dir=cache) == first
        assert entry.read_bytes().partition(b"\n")[2] == body
    (copy / "tokenizer.json").write_text("{}")
    assert identify_base(copy, cache_dir=cache) != first


@pytest.mark.parametrize("damage", [b"", b"{}", b"[" * 100_000, b"\xff", b'{"format": 1}\n{}'])
def test_a_damaged_cache_is_computed_again(copy: Path, tmp_path: Path, damage: bytes) -> None:
    cache = tmp_path / "cache"
    settle(copy)
    first = identify_base(copy, cache_dir=cache)
    (entry,) = cache.glob("base-*.json")
    good = entry.read_bytes()
    entry.write_bytes(damage)
    assert identify_base(copy, cache_dir=cache) == first
    assert entry.read_bytes() == good
    entry.write_bytes(good.replace(b"[32,48]", b"[32,49]"))  # one digit flipped on the disk
    assert identify_base(copy, cache_dir=cache) == first


def settle(folder: Path) -> None:
    """Wait until the files are old enough to be remembered."""
    youngest = max(file.stat().st_ctime for file in folder.iterdir())
    time.sleep(max(0.0, youngest + 0.06 - time.time()))
