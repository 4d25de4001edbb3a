"""From a checkpoint to a model folder that loads, exact in bfloat16, with its card."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from skillweave.adapters.base.identity import identify_base
from skillweave.distill.learning.sft import load_base
from skillweave.distill.tiny_base import is_tiny, tiny_base_path
from skillweave.distill.tiny_base.export import (
    config_for,
    export,
    load_checkpoint,
    load_tokenizer,
    padded_size,
    warm_start,
)
from skillweave.distill.tiny_base.pretrain import PretrainConfig, Pretrainer
from transformers import PreTrainedTokenizerBase

MakeTrainer = Callable[..., Pretrainer]


def test_the_embedding_is_padded_to_whole_blocks() -> None:
    assert [padded_size(num) for num in (1, 64, 65, 3369)] == [64, 64, 128, 3392]


def test_the_exported_folder_is_the_trained_model(
    make_trainer: MakeTrainer,
    small: PretrainConfig,
    tokenizer: PreTrainedTokenizerBase,
    tokenizer_dir: Path,
    tmp_path: Path,
) -> None:
    trainer = make_trainer()
    trainer.train_step()
    trainer.save(tmp_path / "checkpoint.pt")
    model = load_checkpoint(tmp_path / "checkpoint.pt", small.shape, tokenizer)
    export(model, tokenizer_dir, tmp_path / "base", card={"gates": {}})
    loaded = load_base(tmp_path / "base")
    trained = dict(trainer.model.named_parameters())
    for name, weights in loaded.named_parameters():
        assert weights.dtype == torch.float32
        assert torch.equal(weights.to(torch.bfloat16), trained[name])
    assert (loaded.config.eos_token_id, loaded.config.pad_token_id) == (2, 0)
    assert json.loads((tmp_path / "base" / "card.json").read_text()) == {"gates": {}}
    read = load_tokenizer(tmp_path / "base")
    text = "for the picnic: b c"
    assert read.encode(text) == tokenizer.encode(text)
    assert read.chat_template == tokenizer.chat_template
    identity = identify_base(tmp_path / "base", cache_dir=tmp_path / "hashes")
    assert identity.architecture == "Qwen3ForCausalLM"
    assert identity.precision == "bf16"


def test_an_earlier_editions_weights_are_taken_over_with_their_name(
    make_trainer: MakeTrainer,
    small: PretrainConfig,
    tokenizer: PreTrainedTokenizerBase,
    tokenizer_dir: Path,
    tmp_path: Path,
) -> None:
    trainer = make_trainer()
    trainer.train_step()
    trainer.save(tmp_path / "checkpoint.pt")
    model = load_checkpoint(tmp_path / "checkpoint.pt", small.shape, tokenizer)
    export(model, tokenizer_dir, tmp_path / "base", card={"edition": 7})
    begun, origin = warm_start(tmp_path / "base", config_for(small.shape, tokenizer))
    assert origin["edition"] == 7
    assert origin["digest"] == identify_base(tmp_path / "base").family_digest
    trained = dict(trainer.model.named_parameters())
    for name, weights in begun.named_parameters():
        assert weights.dtype == torch.float32
        assert torch.equal(weights.to(torch.bfloat16), trained[name])
    wider = config_for(replace(small.shape, intermediate=64), tokenizer)
    with pytest.raises(ValueError, match=r"mlp.gate_proj.weight of shape \(48, 32\), expected"):
        warm_start(tmp_path / "base", wider)
    shorter = config_for(replace(small.shape, layers=0), tokenizer)
    with pytest.raises(ValueError, match=r"has further weights: model\.layers\.0"):
        warm_start(tmp_path / "base", shorter)


def test_the_shipped_base_is_recognised_wherever_one_looks_from(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tiny_base_path())
    assert is_tiny(tiny_base_path())
    assert is_tiny(tmp_path / "link")
    assert tiny_base_path("small").parent == tiny_base_path()
    assert not is_tiny(tmp_path)
    card = tmp_path / "card.json"
    for text, ours in (('{"name": "skillweave-tiny-small"}', True), ('{"name": "x"}', False),
                       ("[]", False), ("no JSON", False)):  # fmt: skip
        card.write_text(text)
        assert is_tiny(tmp_path) == ours
