"""The gate as a whole: what passes, all problems at once, one policy. Kinds: `spoiled.py`."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from skillweave.adapters.artifact import write_artifact
from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.card import Card
from skillweave.adapters.errors import AdapterRefused
from skillweave.adapters.gate.policy import GatePolicy, check_adapter, require_adapter
from skillweave.adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE, read_header_of

from ..conftest import MakeAdapter


@pytest.fixture
def folder(adapter_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(adapter_dir, tmp_path / "adapter"))


def test_what_peft_saves_passes(
    make_adapter: MakeAdapter, folder: Path, base: BaseIdentity
) -> None:
    assert check_adapter(folder, base) == ()
    assert check_adapter(folder, None) == ()
    patterned = make_adapter(rank_pattern={"v_proj": 2}, alpha_pattern={"q_proj": 1})
    assert check_adapter(patterned, base) == ()
    require_adapter(folder, base)


def test_trainers_leftovers_do_no_harm(folder: Path, base: BaseIdentity) -> None:
    for name in ("training_args.bin", "optimizer.pt", "README.md", "tokenizer.json"):
        (folder / name).write_bytes(b"x")
    assert check_adapter(folder, base) == ()


def to_pickle(folder: Path) -> None:
    torch.save(load_file(folder / WEIGHTS_FILE), folder / "adapter_model.bin")
    (folder / WEIGHTS_FILE).unlink()


def test_a_pickle_is_refused_with_a_way_out(folder: Path) -> None:
    to_pickle(folder)
    with pytest.raises(AdapterRefused, match="safe_serialization=True"):
        require_adapter(folder, None)


def test_an_adapter_in_a_subfolder_is_pointed_at(folder: Path) -> None:
    shutil.copytree(folder, folder.parent / "outer" / "my-name")
    with pytest.raises(AdapterRefused, match="holds an adapter in my-name"):
        require_adapter(folder.parent / "outer", None)


def test_all_problems_come_in_one_report(folder: Path, base: BaseIdentity, card: Card) -> None:
    config = json.loads((folder / CONFIG_FILE).read_text())
    (folder / CONFIG_FILE).write_text(json.dumps({**config, "use_dora": True, "bias": "all"}))
    tensors = load_file(folder / WEIGHTS_FILE)
    old, new = "base_model.model.model.layers.0", "model.layers.0"
    save_file({k.replace(old, new): v for k, v in tensors.items()}, folder / WEIGHTS_FILE)
    (folder / "adapter_model.bin").write_bytes(b"")
    other = replace(base, family_digest="f" * 64)
    found = check_adapter(folder, other, card=card)
    assert {p.code for p in found} == {
        "dora",
        "bias",
        "wrong_prefix",
        "bad_weights_file",
        "wrong_base",
    }
    assert all(p.message and p.remedy for p in found)


def test_the_wrong_base_is_refused_with_both_digests(
    folder: Path, base: BaseIdentity, card: Card, tmp_path: Path
) -> None:
    artifact = tmp_path / "artifact"
    write_artifact(artifact, folder, card=card)
    assert check_adapter(artifact, base) == ()
    other = replace(base, family_digest="f" * 64)
    with pytest.raises(AdapterRefused) as caught:
        require_adapter(artifact, other)
    assert [p.code for p in caught.value.problems] == ["wrong_base"]
    assert base.family_digest in str(caught.value)
    assert other.family_digest in str(caught.value)
    assert check_adapter(artifact, other, accept_base=True) == ()
    smaller = replace(other, modules={"lm_head": (64, 32)})
    found = check_adapter(artifact, smaller, accept_base=True)
    assert [p.code for p in found] == ["unknown_module"]


def test_one_policy_says_what_every_door_asks(folder: Path, base: BaseIdentity, card: Card) -> None:
    """Values may be left to an earlier door, a rank cap is asked for by an engine's."""
    tensors = load_file(folder / WEIGHTS_FILE)
    next(iter(tensors.values()))[0, 0] = float("nan")
    save_file(tensors, folder / WEIGHTS_FILE)
    assert [p.code for p in GatePolicy().check(folder, base)] == ["not_finite"]
    assert GatePolicy(values="header").check(folder, base) == ()
    capped = GatePolicy(values="header", max_rank=2)
    assert [p.code for p in capped.check(folder, base)] == ["rank_above_cap"]
    assert "not servable here" in str(capped.check(folder, base)[0])
    other = replace(base, family_digest="f" * 64, precision="nf4")
    lenient = GatePolicy(values="header", accept_base=True)
    assert lenient.check(folder, other, card=card) == ()
    verified = GatePolicy(values="header", verified=frozenset({"nf4"}))
    assert verified.check(folder, replace(base, precision="nf4"), card=card) == ()


def test_a_strangers_names_cannot_write_on_a_terminal(folder: Path) -> None:
    (folder / "\x1b[2J\u202e.bin").write_bytes(b"")
    (folder / ("x" * 200 + ".bin")).write_bytes(b"")
    for problem in check_adapter(folder, None):
        assert problem.message.isprintable()
        assert len(problem.message) < 300


def test_an_engines_cap_must_hold_every_rank_that_the_config_names(
    make_adapter: MakeAdapter, base: BaseIdentity
) -> None:
    """vLLM compares its cap with `r` and all patterns, whether or not a module has that rank."""
    every = dict.fromkeys(("q_proj", "v_proj", "down_proj"), 2)
    folder = make_adapter(r=32, rank_pattern=every)
    assert {m.rank for m in read_header_of(folder).modules.values()} == {2}
    assert read_header_of(folder).rank == 32
    found = GatePolicy(max_rank=16).check(folder, base)
    assert [p.code for p in found] == ["rank_above_cap"]
