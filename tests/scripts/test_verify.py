"""`verify`: one report for people, one document for programs, and an exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from skillweave.adapters.base.identity import identify_base
from skillweave.adapters.card import CARD_FILE, Card, card_bytes
from skillweave.adapters.delta import Delta
from skillweave.adapters.peft_folder.deltas import write_peft
from skillweave.adapters.store.store import Store
from skillweave.scripts.cli import EXIT_FAILED, EXIT_USAGE, main

from ..one_module import MODULE, make_base

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKILLWEAVE_HOME", str(tmp_path / "home"))
    return make_base(tmp_path / "base")


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    write_peft({MODULE: Delta(torch.ones(2, 8), torch.ones(16, 2), 1.5)}, folder)
    return folder


def document(capsys: Capture, *words: object) -> tuple[int, dict[str, Any]]:
    code = main(["verify", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_what_fits_is_described(adapter: Path, base: Path, capsys: Capture) -> None:
    assert main(["verify", str(adapter), "--base", str(base)]) == 0
    said = capsys.readouterr().out
    assert "fits the base" in said
    assert "scales: 1.5 (1)" in said
    code, found = document(capsys, adapter, "--base", base)
    assert (code, found["fits"], found["problems"]) == (0, True, [])
    assert found["adapter"]["ranks"] == {"2": 1}


def test_what_does_not_fit_is_grouped_with_its_remedies(
    adapter: Path, base: Path, capsys: Capture
) -> None:
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    (adapter / "[red]x\x1b.bin").write_bytes(b"")
    assert main(["verify", str(adapter), "--base", str(base)]) == EXIT_FAILED
    said = capsys.readouterr().out
    assert "bad_weights_file: adapter_model.bin" in said
    assert "remedy: load the adapter with peft" in said
    assert "[red]x\\x1b.bin" in said
    assert "3 problem(s)" in said
    code, found = document(capsys, adapter, "--base", base)
    assert code == EXIT_FAILED
    assert {p["area"] for p in found["problems"]} == {"folder"}
    assert found["adapter"] is None


def test_another_base_is_told_by_shapes_and_where_there_is_one_by_the_card(
    adapter: Path, base: Path, tmp_path: Path, capsys: Capture
) -> None:
    other = make_base(tmp_path / "other", into=12)
    code, found = document(capsys, adapter, "--base", other)
    assert (code, [p["code"] for p in found["problems"]]) == (EXIT_FAILED, ["wrong_shape"])
    card = Card(kind="skill", base=identify_base(base).for_card())
    (adapter / CARD_FILE).write_bytes(card_bytes(card))
    _, found = document(capsys, adapter, "--base", other)
    assert {p["code"] for p in found["problems"]} == {"wrong_shape", "wrong_base"}
    _, found = document(capsys, adapter, "--base", other, "--accept-base")
    assert [p["code"] for p in found["problems"]] == ["wrong_shape"]


def test_values_and_an_engines_cap_are_looked_at_when_asked(
    adapter: Path, base: Path, capsys: Capture
) -> None:
    tensors = load_file(adapter / "adapter_model.safetensors")
    tensors[f"base_model.model.{MODULE}.lora_B.weight"][3, 1] = float("nan")
    save_file(tensors, adapter / "adapter_model.safetensors")
    code, found = document(capsys, adapter, "--base", base)
    assert (code, [p["code"] for p in found["problems"]]) == (EXIT_FAILED, ["not_finite"])
    code, found = document(capsys, adapter, "--base", base, "--header-only")
    assert (code, found["values"]) == (0, "header")
    _, found = document(capsys, adapter, "--base", base, "--header-only", "--max-lora-rank", 1)
    assert [p["code"] for p in found["problems"]] == ["rank_above_cap"]


def test_a_stored_version_can_be_named_and_what_is_nowhere_is_refused(
    adapter: Path, base: Path, tmp_path: Path, capsys: Capture
) -> None:
    identity = identify_base(base)
    card = Card(kind="skill", base=identity.for_card())
    Store(tmp_path / "store").put(adapter, card=card, name="mine", base=identity)
    code, found = document(capsys, "mine@1", "--base", base, "--store", tmp_path / "store")
    assert (code, found["fits"]) == (0, True)
    code, found = document(capsys, "yours", "--base", base, "--store", tmp_path / "store")
    assert (code, [p["code"] for p in found["problems"]]) == (EXIT_FAILED, ["missing_folder"])
    assert main(["verify", str(adapter), "--base", str(tmp_path / "nothing")]) == EXIT_USAGE
    assert "no folder" in capsys.readouterr().err
