"""The tiny base's architecture in its two sizes, and attention that is quick on a CPU.

Owns what a model is, not how it learns. To change a size is a new edition.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, Qwen3Config, Qwen3ForCausalLM

from . import Size
from .embeddings import SPREAD


@dataclass(frozen=True)
class Shape:
    """Sizes of a Qwen3 with tied embeddings."""

    hidden: int = 256
    layers: int = 5
    heads: int = 8
    kv_heads: int = 4
    head_dim: int = 32
    intermediate: int = 768
    max_positions: int = 2048
    rope_theta: float = 10000.0


SHAPES: dict[Size, Shape] = {
    "base": Shape(),
    "small": Shape(hidden=128, heads=4, kv_heads=2, intermediate=384),
}


def model_config(shape: Shape, vocab_size: int, *, end: int, pad: int) -> Qwen3Config:
    """The architecture as transformers and vLLM know it."""
    return Qwen3Config(
        vocab_size=vocab_size,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        max_position_embeddings=shape.max_positions,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
    )


def new_model(config: Qwen3Config) -> Qwen3ForCausalLM:
    """A model of that shape with fresh weights, from torch's seed; tokens begin far apart."""
    make: Callable[[Qwen3Config], Qwen3ForCausalLM] = Qwen3ForCausalLM
    model = make(config)
    nn.init.normal_(model.model.embed_tokens.weight, std=SPREAD)
    return model


def _plain_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    scaling: float = 1.0,
    **_: object,
) -> tuple[Tensor, None]:
    """Attention by two batched products: in bfloat16 on a CPU faster than the fused kernel."""
    num_rows, num_heads, length, width = query.shape
    groups = num_heads // key.shape[1]
    key = key.repeat_interleave(groups, 1).reshape(-1, length, width)
    value = value.repeat_interleave(groups, 1).reshape(-1, length, width)
    mask = attention_mask.expand(-1, num_heads, -1, -1).reshape(-1, length, length)
    scores = torch.baddbmm(
        mask, query.reshape(-1, length, width), key.transpose(1, 2), alpha=scaling
    )
    out = torch.bmm(scores.softmax(-1), value).reshape(num_rows, num_heads, length, width)
    return out.transpose(1, 2).contiguous(), None


AttentionInterface.register("plain", _plain_attention)
