"""The gate: a sound adapter passes, each way of spoiling one has its code, and all come at once."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from skillweave.adapters import gate
from skillweave.adapters.artifact import write_artifact
from skillweave.adapters.base import BaseIdentity
from skillweave.adapters.card import CARD_FILE, Card
from skillweave.adapters.errors import AdapterRefused
from skillweave.adapters.gate import check_adapter, require_adapter
from skillweave.adapters.limits import Limits
from skillweave.adapters.peft_header import CONFIG_FILE, WEIGHTS_FILE

from .conftest import MakeAdapter

Q0 = "base_model.model.model.layers.0.self_attn.q_proj"
Tensors = dict[str, torch.Tensor]


@pytest.fixture
def folder(adapter_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(adapter_dir, tmp_path / "adapter"))


def codes(folder: Path, base: BaseIdentity | None, **options: object) -> set[str]:
    return {p.code for p in check_adapter(folder, base, **options)}  # type: ignore[arg-type]


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


def rename(old: str, new: str) -> Callable[[Tensors], object]:
    def spoil(tensors: Tensors) -> None:
        for key in [key for key in tensors if old in key]:
            tensors[key.replace(old, new)] = tensors.pop(key)

    return spoil


def put(key: str, tensor: torch.Tensor) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.update({key: tensor})


def set_value(value: float) -> Callable[[Tensors], object]:
    def spoil(tensors: Tensors) -> None:
        tensors[f"{Q0}.lora_B.weight"][0, 0] = value

    return spoil


def transpose(tensors: Tensors) -> None:
    for side in "AB":
        key = f"{Q0}.lora_{side}.weight"
        tensors[key] = tensors[key].t().contiguous()


def widen(tensors: Tensors) -> None:
    key = f"{Q0}.lora_A.weight"
    tensors[key] = torch.cat([tensors[key], tensors[key]], dim=1)


SPOILED_TENSORS: dict[str, tuple[Callable[[Tensors], object], set[str]]] = {
    "NaN": (set_value(float("nan")), {"not_finite"}),
    "infinity": (set_value(float("-inf")), {"not_finite"}),
    "no prefix": (rename("base_model.model.", ""), {"wrong_prefix"}),
    "half a prefix": (rename("base_model.model.", "base_model."), {"unknown_module"}),
    "vLLM's prefix twice": (
        rename("base_model.model.model", "base_model.model.model.model"),
        {"unknown_module"},
    ),
    "another module": (rename("layers.0.", "layers.7."), {"unknown_module"}),
    "a module the config does not target": (rename("q_proj", "o_proj"), {"untargeted"}),
    "transposed": (transpose, {"rank_mismatch", "wrong_shape"}),
    "factors that do not meet": (
        put(f"{Q0}.lora_B.weight", torch.zeros(32, 3)),
        {"bad_factors"},
    ),
    "eight bits": (
        put(f"{Q0}.lora_A.weight", torch.zeros(4, 32).to(torch.float8_e4m3fn)),
        {"wrong_dtype"},
    ),
    "another width": (widen, {"wrong_shape"}),
    "half a pair": (lambda t: t.pop(f"{Q0}.lora_A.weight"), {"unpaired"}),
    "another rank": (
        lambda t: t.update(
            {
                f"{Q0}.lora_A.weight": torch.zeros(2, 32),
                f"{Q0}.lora_B.weight": torch.zeros(32, 2),
            }
        ),
        {"rank_mismatch"},
    ),
    "integers": (put(f"{Q0}.lora_A.weight", torch.zeros(4, 32).long()), {"wrong_dtype"}),
    "float64": (put(f"{Q0}.lora_A.weight", torch.zeros(4, 32).double()), {"wrong_dtype"}),
    "DoRA": (put(f"{Q0}.lora_magnitude_vector", torch.zeros(32)), {"dora"}),
    "bias": (put(f"{Q0}.lora_B.bias", torch.zeros(32)), {"bias"}),
    "base bias": (put(f"{Q0}.base_layer.bias", torch.zeros(32)), {"bias"}),
    "modules_to_save": (
        put("base_model.model.lm_head.modules_to_save.weight", torch.zeros(2, 2)),
        {"modules_to_save"},
    ),
    "embedding": (
        put("base_model.model.model.embed_tokens.lora_embedding_A", torch.zeros(4, 64)),
        {"embedding_lora"},
    ),
    "a full weight": (
        put("base_model.model.lm_head.weight", torch.zeros(2, 2)),
        {"unknown_tensor"},
    ),
    "a very long name": (put("x" * 300, torch.zeros(1)), {"bad_name"}),
    "no tensors": (lambda t: t.clear(), {"module_count"}),
}


@pytest.mark.parametrize(
    ("spoil", "expected"), SPOILED_TENSORS.values(), ids=SPOILED_TENSORS.keys()
)
def test_spoiled_tensors(
    folder: Path, base: BaseIdentity, spoil: Callable[[Tensors], object], expected: set[str]
) -> None:
    tensors = load_file(folder / WEIGHTS_FILE)
    spoil(tensors)
    save_file(tensors, folder / WEIGHTS_FILE)
    assert codes(folder, base) == expected


def truncate(folder: Path) -> None:
    os.truncate(folder / WEIGHTS_FILE, 100)


def to_pickle(folder: Path) -> None:
    torch.save(load_file(folder / WEIGHTS_FILE), folder / "adapter_model.bin")
    (folder / WEIGHTS_FILE).unlink()


def link_weights(folder: Path) -> None:
    (folder / WEIGHTS_FILE).rename(folder.parent / "elsewhere")
    (folder / WEIGHTS_FILE).symlink_to(folder.parent / "elsewhere")


def link_folder(folder: Path) -> None:
    (folder / "skill").symlink_to("/etc")


def escape(folder: Path) -> None:
    (folder / "notes").symlink_to("../../secret")


SPOILED_FOLDERS: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "a pickle": (to_pickle, {"bad_weights_file", "missing_weights"}),
    "a pickle besides": (
        lambda f: shutil.copy(f / WEIGHTS_FILE, f / "adapter_model.bin"),
        {"bad_weights_file"},
    ),
    "a pickle in capitals": (
        lambda f: (f / "X.PT").write_bytes(b""),
        {"bad_weights_file"},
    ),
    "more safetensors": (
        lambda f: (f / "new_embeddings.safetensors").write_bytes(b"x"),
        {"bad_weights_file"},
    ),
    "no config": (lambda f: (f / CONFIG_FILE).unlink(), {"missing_config"}),
    "a folder for a config": (
        lambda f: ((f / CONFIG_FILE).unlink(), (f / CONFIG_FILE).mkdir()),
        {"missing_config"},
    ),
    "no weights": (lambda f: (f / WEIGHTS_FILE).unlink(), {"missing_weights"}),
    "truncated": (truncate, {"bad_header"}),
    "empty weights": (lambda f: os.truncate(f / WEIGHTS_FILE, 0), {"bad_header"}),
    "no JSON": (lambda f: (f / CONFIG_FILE).write_text("{"), {"bad_config"}),
    "linked weights": (link_weights, {"symlink"}),
    "a linked folder": (link_folder, {"symlink"}),
    "a way out": (escape, {"symlink"}),
    "a pipe": (lambda f: os.mkfifo(f / "pipe"), {"special_file"}),
    "no card": (lambda f: (f / CARD_FILE).write_text("{}"), {"bad_card"}),
    "nothing": (lambda f: shutil.rmtree(f), {"missing_folder"}),
}


@pytest.mark.parametrize(
    ("spoil", "expected"), SPOILED_FOLDERS.values(), ids=SPOILED_FOLDERS.keys()
)
def test_spoiled_folders(
    folder: Path, base: BaseIdentity, spoil: Callable[[Path], object], expected: set[str]
) -> None:
    spoil(folder)
    assert codes(folder, base) == expected


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(rank=3), "rank_limit"),
        (Limits(modules=5), "module_count"),
        (Limits(tensors_bytes=1000), "bad_header"),
        (Limits(config_bytes=10), "too_large"),
        (Limits(files=1), "too_many_files"),
        (Limits(folder_bytes=1000), "too_large"),
    ],
)
def test_limits(folder: Path, base: BaseIdentity, limits: Limits, code: str) -> None:
    assert codes(folder, base, limits=limits) == {code}


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
    rename("base_model.model.model.layers.0", "model.layers.0")(tensors)
    save_file(tensors, folder / WEIGHTS_FILE)
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
    assert codes(artifact, smaller, accept_base=True) == {"unknown_module"}


def test_every_code_is_listed_in_the_docstring() -> None:
    documented = set((gate.__doc__ or "").split())
    tables = [*SPOILED_FOLDERS.values(), *SPOILED_TENSORS.values()]
    for _, expected in tables:
        assert expected <= documented
