"""Random bases and random adapters for benches: the right sizes, no meaning.

Owns making them. Refuses to own which sizes a bench takes, and to serve them.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

from ...adapters import Delta, write_peft
from ...distill.tiny_base import tiny_base_path

_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
_HEAD = 64


def random_base(
    folder: Path, *, hidden: int, layers: int, wide: int, key_heads: int, length: int
) -> Path:
    """A random Qwen3 in float32 that reads the shipped vocabulary, as a folder that vLLM loads.

    Args:
        folder: made here.
        hidden: features, a multiple of 64; heads are 64 wide.
        wide: features inside the feed-forward part.
        key_heads: heads of keys and values.
        length: longest prompt and answer, in tokens.
    """
    folder.mkdir(parents=True)
    for name in _FILES:
        shutil.copyfile(tiny_base_path() / name, folder / name)
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=-(-len(AutoTokenizer.from_pretrained(folder)) // 64) * 64,
        hidden_size=hidden,
        intermediate_size=wide,
        num_hidden_layers=layers,
        num_attention_heads=hidden // _HEAD,
        num_key_value_heads=key_heads,
        head_dim=_HEAD,
        max_position_embeddings=length,
        tie_word_embeddings=True,
        eos_token_id=2,
        pad_token_id=0,
        bos_token_id=None,
    )
    model = Qwen3ForCausalLM(config)  # type: ignore[no-untyped-call]  # transformers has no types
    model.save_pretrained(folder)
    return folder


def random_adapter(
    folder: Path,
    modules: Mapping[str, tuple[int, int]],
    *,
    rank: int,
    seed: int,
    scale: float = 1.0,
) -> Path:
    """A random adapter on every projection, rows of about unit length; returns `folder`.

    Args:
        modules: (out, in) features by name, as a base's identity has them.
    """
    generator = torch.Generator().manual_seed(seed)
    delta = {
        name: Delta(
            torch.randn(rank, into, generator=generator) / into**0.5,
            torch.randn(out, rank, generator=generator) / rank**0.5,
            scale,
        )
        for name, (out, into) in modules.items()
        if name.endswith("_proj")
    }
    write_peft(delta, folder)
    return folder
