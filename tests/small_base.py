"""A one-layer base with random weights that reads the shipped vocabulary."""

import shutil
from pathlib import Path

import torch
from skillweave.distill.tiny_base import tiny_base_path
from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def make_small_base(folder: Path) -> Path:
    """Write it into a new or empty folder; the shipped weights are not needed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        shutil.copyfile(tiny_base_path() / name, folder / name)
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=-(-len(AutoTokenizer.from_pretrained(folder)) // 64) * 64,
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
    return folder
