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
    Qwen3ForCausalLM,
)

from ..small_base import TOKENIZER_FILES, make_small_base

torch.set_num_threads(1)


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
def small_base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A one-layer Qwen3 with random weights that reads the shipped vocabulary."""
    return make_small_base(tmp_path_factory.mktemp("bases") / "small-base")


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
