"""A pretrainer so small that a step takes milliseconds."""

from collections.abc import Callable, Mapping

import pytest
import torch
from skillweave.distill.tiny_base.corpus import Corpus, Part
from skillweave.distill.tiny_base.export import config_for
from skillweave.distill.tiny_base.pretrain import PretrainConfig, Pretrainer
from skillweave.distill.tiny_base.shape import Shape, new_model
from skillweave.distill.worlds.string_skills import teaching
from transformers import PreTrainedTokenizerBase, Qwen3ForCausalLM

MakeTrainer = Callable[..., Pretrainer]

SMALL = PretrainConfig(
    shape=Shape(hidden=32, layers=1, heads=2, kv_heads=1, head_dim=16, intermediate=48),
    num_steps=6,
    rows=2,
    length=256,
    warmup_steps=2,
    warm_mixture_steps=3,
    seed=4,
    mixture={"follower": 1.0},
    warm_mixture={"solver": 1.0},
)
PARTS = (
    Part("follower", teaching.follower, 1.0),
    Part("solver", teaching.solver, 0.0, warm=1.0),
)


@pytest.fixture
def small() -> PretrainConfig:
    return SMALL


@pytest.fixture
def small_model(tokenizer: PreTrainedTokenizerBase) -> Qwen3ForCausalLM:
    torch.manual_seed(SMALL.seed)
    return new_model(config_for(SMALL.shape, tokenizer))


@pytest.fixture
def make_trainer(tokenizer: PreTrainedTokenizerBase) -> MakeTrainer:
    """Every call starts from the same random weights."""

    def make(
        config: PretrainConfig = SMALL, origin: Mapping[str, str | int] | None = None
    ) -> Pretrainer:
        torch.manual_seed(config.seed)
        model = new_model(config_for(config.shape, tokenizer))
        model.set_attn_implementation("plain")
        corpus = Corpus(tokenizer, PARTS, length=config.length, seed=config.seed)
        return Pretrainer(config, model, corpus, origin=origin)

    return make
