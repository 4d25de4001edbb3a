"""The architecture in its two sizes, and the attention that training uses."""

import pytest
import torch
from skillweave.distill.tiny_base import Size
from skillweave.distill.tiny_base.corpus import Corpus, Part
from skillweave.distill.tiny_base.export import config_for
from skillweave.distill.tiny_base.memory import keep_freed_memory
from skillweave.distill.tiny_base.shape import SHAPES, new_model
from skillweave.distill.worlds.string_skills import teaching
from transformers import PreTrainedTokenizerBase, Qwen3ForCausalLM


def test_the_models_shape_is_the_configs(small_model: Qwen3ForCausalLM) -> None:
    shape = small_model.config
    assert (shape.hidden_size, shape.num_hidden_layers, shape.head_dim) == (32, 1, 16)
    assert shape.tie_word_embeddings
    assert (shape.eos_token_id, shape.pad_token_id) == (2, 0)


@pytest.mark.parametrize(("size", "millions"), [("base", 4.80), ("small", 1.42)])
def test_both_sizes_read_one_vocabulary_and_fit_the_tree_together(
    size: Size, millions: float, tokenizer: PreTrainedTokenizerBase
) -> None:
    """In bfloat16 2 x (4.80 + 1.42) = 12.4 MB; 32 is the least head that vLLM's CPU part knows."""
    model = new_model(config_for(SHAPES[size], tokenizer))
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)
    assert model.config.vocab_size == 3392
    assert model.config.head_dim == 32


def test_the_fast_attention_computes_the_same(
    small_model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    parts = [Part("it", teaching.follower, 1.0)]
    rows = Corpus(tokenizer, parts, length=256, seed=0).batch(0, 2, {"it": 1.0})
    logits = []
    for name in ("plain", "sdpa"):
        small_model.set_attn_implementation(name)
        with torch.no_grad():
            out = small_model(
                input_ids=rows.ids_BT,
                attention_mask=rows.mask_B1TT.float(),
                position_ids=rows.positions_BT,
                use_cache=False,
            )
        logits.append(out.logits[rows.targets_BT != -100])
    torch.testing.assert_close(logits[0], logits[1], atol=1e-5, rtol=1e-4)


def test_keeping_memory_is_asked_for_where_the_c_library_can() -> None:
    assert keep_freed_memory() in (True, False)
    big = torch.ones(1 << 20)
    assert float(big.sum()) == 1 << 20
