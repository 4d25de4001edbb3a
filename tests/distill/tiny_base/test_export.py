"""From a checkpoint to a model folder that loads, exact in bfloat16, with its card."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from skillweave.adapters.base.identity import identify_base
from skillweave.distill.learning.sft import load_base
from skillweave.distill.tiny_base import is_tiny, tiny_base_path
from skillweave.distill.tiny_base.export import (
    export,
    final_gates,
    load_checkpoint,
    load_tokenizer,
    padded_size,
)
from skillweave.distill.tiny_base.pretrain import PretrainConfig, Pretrainer
from transformers import PreTrainedTokenizerBase

MakeTrainer = Callable[[], Pretrainer]


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
    model = load_checkpoint(tmp_path / "checkpoint.pt", small, tokenizer)
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


@pytest.mark.slow
def test_a_gate_holds_where_the_mean_over_its_seeds_does(
    make_trainer: MakeTrainer, tokenizer: PreTrainedTokenizerBase
) -> None:
    model = make_trainer().model.float().eval()
    model.set_attn_implementation("sdpa")
    seen = final_gates(model, tokenizer, num_items=1, seeds=(1, 2))
    assert seen["text_1"] == {"values": [0.0, 0.0], "mean": 0.0, "bar": 0.85, "passed": False}
    assert seen["no_text"] == {"values": [0.0, 0.0], "mean": 0.0, "bar": 0.10, "passed": True}


def test_the_shipped_base_is_recognised_wherever_one_looks_from(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tiny_base_path())
    assert is_tiny(tiny_base_path())
    assert is_tiny(tmp_path / "link")
    assert not is_tiny(tmp_path)
