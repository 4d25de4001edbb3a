"""The shipped tokenizer, a random base that speaks it, and a skill whose answers can be checked."""

import shutil
from pathlib import Path

import pytest
import torch
from skillweave.adapters.skills import Skill, read_skill, write_skill
from skillweave.distill.tiny_base import tiny_base_path
from skillweave.distill.worlds.string_skills import Operation, SkillSpec, string_skill
from transformers import (
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Qwen3Config,
    Qwen3ForCausalLM,
)

torch.set_num_threads(1)
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


@pytest.fixture(scope="session")
def tokenizer_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped tokenizer and chat template alone, as the base's folder holds them."""
    folder = tmp_path_factory.mktemp("tokenizer")
    for name in TOKENIZER_FILES:
        shutil.copyfile(tiny_base_path() / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def tokenizer(tokenizer_dir: Path) -> PreTrainedTokenizerBase:
    read: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(tokenizer_dir)
    return read


@pytest.fixture(scope="session")
def small_base_dir(tokenizer_dir: Path, tokenizer: PreTrainedTokenizerBase) -> Path:
    """A one-layer Qwen3 with random weights that reads the shipped vocabulary."""
    folder = tokenizer_dir.parent / "small-base"
    folder.mkdir()
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=-(-len(tokenizer) // 64) * 64,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        tie_word_embeddings=True,
        initializer_range=0.3,  # so that it has opinions, which an adapter can change
        eos_token_id=2,
        pad_token_id=0,
        bos_token_id=None,
    )
    Qwen3ForCausalLM(config).save_pretrained(folder)
    for name in TOKENIZER_FILES:
        shutil.copyfile(tokenizer_dir / name, folder / name)
    return folder


@pytest.fixture
def small_base(small_base_dir: Path) -> PreTrainedModel:
    """Loaded anew for every test, so that none can spoil it for another."""
    model: PreTrainedModel = Qwen3ForCausalLM.from_pretrained(small_base_dir)
    return model


@pytest.fixture
def spec() -> SkillSpec:
    """Drop the first, then reverse; the result in brackets."""
    return SkillSpec((Operation("drop-first", ("1",)), Operation("reverse")), "brackets", "picnic")


@pytest.fixture
def skill(spec: SkillSpec, tmp_path: Path) -> Skill:
    """The same as a real folder."""
    made = string_skill(spec, seed=0)
    read, warnings = read_skill(write_skill(made, tmp_path / "skills" / made.name).parent)
    assert warnings == []
    return read
