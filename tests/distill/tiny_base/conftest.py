"""A pretrainer so small that a step takes milliseconds."""

from collections.abc import Callable

import pytest
import torch
from skillweave.distill.tiny_base.corpus import Corpus
from skillweave.distill.tiny_base.pretrain import PretrainConfig, Pretrainer, model_config
from transformers import PreTrainedTokenizerBase, Qwen3ForCausalLM

MakeTrainer = Callable[[], Pretrainer]

SMALL = PretrainConfig(
    hidden=32,
    layers=1,
    heads=2,
    kv_heads=1,
    head_dim=16,
    intermediate=48,
    num_steps=6,
    rows=2,
    warmup_steps=2,
    warm_mixture_steps=3,
    seed=4,
)


@pytest.fixture
def small() -> PretrainConfig:
    return SMALL


@pytest.fixture
def small_model(tokenizer: PreTrainedTokenizerBase) -> Qwen3ForCausalLM:
    torch.manual_seed(SMALL.seed)
    return Qwen3ForCausalLM(model_config(SMALL, 3392, end=2, pad=0))


@pytest.fixture
def make_trainer(tokenizer: PreTrainedTokenizerBase) -> MakeTrainer:
    """Every call starts from the same random weights."""

    def make() -> Pretrainer:
        shape = model_config(SMALL, 3392, end=2, pad=0)
        shape._attn_implementation = "plain"
        torch.manual_seed(SMALL.seed)
        model = Qwen3ForCausalLM(shape)
        corpus = Corpus(tokenizer, length=SMALL.length, seed=SMALL.seed)
        return Pretrainer(SMALL, model, corpus)

    return make
