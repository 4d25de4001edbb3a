"""A tiny random base and real PEFT adapters on it, made once per session.

The base is a two-layer Qwen3 with random weights and a stand-in tokenizer file; the adapters are
saved by peft itself, so that what we read is what people have.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from peft import LoraConfig, get_peft_model
from skillweave.adapters.base.identity import BaseIdentity, identify_base
from skillweave.adapters.card import Card
from skillweave.adapters.store.store import Store
from transformers import Qwen3Config, Qwen3ForCausalLM

settings.register_profile("untimed", deadline=None)  # a busy machine is no bug
settings.load_profile("untimed")

MakeAdapter = Callable[..., Path]
TARGETS = ("q_proj", "v_proj", "down_proj")


def make_base(folder: Path, *, seed: int = 0, hidden: int = 32, layers: int = 2) -> Path:
    """Write a random Qwen3 with a tokenizer file."""
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=64,
        hidden_size=hidden,
        intermediate_size=48,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        tie_word_embeddings=True,
    )
    Qwen3ForCausalLM(config).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(json.dumps({"version": "1.0", "note": "stand-in"}))
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    return folder


@pytest.fixture(scope="session")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def base(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> BaseIdentity:
    return identify_base(base_dir, cache_dir=tmp_path_factory.mktemp("hashes"))


@pytest.fixture(scope="session")
def make_adapter(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeAdapter:
    """Save a random adapter with peft: `make_adapter(seed=1, r=4, lora_alpha=8, ...)`."""

    def make(*, seed: int = 0, **options: object) -> Path:
        folder = tmp_path_factory.mktemp("adapter")
        options_of_lora: dict[str, object] = {
            "r": 4,
            "lora_alpha": 8,
            "target_modules": list(TARGETS),
            "task_type": "CAUSAL_LM",
            **options,
        }
        model = Qwen3ForCausalLM.from_pretrained(base_dir)
        peft_model = get_peft_model(model, LoraConfig(**options_of_lora))
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, parameter in peft_model.named_parameters():
                if "lora_" in name:
                    parameter.copy_(torch.randn(parameter.shape, generator=generator))
        peft_model.save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def adapter_dir(make_adapter: MakeAdapter) -> Path:
    return make_adapter(seed=1)


@pytest.fixture
def card(base: BaseIdentity) -> Card:
    return Card(kind="skill", base=base.for_card(name="tiny"), skill_name="SQL Report", seed=1)


@pytest.fixture
def skill_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "skill-source"
    (folder / "scripts").mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\nname: sql-report\ndescription: Reports.\n---\nDo it.\n")
    (folder / "scripts" / "run.sh").write_text("#!/bin/sh\n")
    (folder / "scripts" / "run.sh").chmod(0o755)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")
