"""Bases and adapters of the bench `serve`: the shipped base, and a random one of 50M parameters.

Owns making them, once per run. Refuses to serve them.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

from ...adapters import BaseIdentity, Card, Delta, Store, identify_base, write_peft
from ...distill.tiny_base import tiny_base_path

HIDDEN, LAYERS, RANK = 768, 7, 8
_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


@dataclass(frozen=True)
class Base:
    """A base on disk and a store for it."""

    path: Path
    identity: BaseIdentity
    store: Store
    work: Path

    def adapter(self, seed: int, *, rank: int = RANK) -> Path:
        """A random adapter on every projection, at `work`; another seed gives another one."""
        folder = self.work / f"adapter-{seed}-{rank}"
        generator = torch.Generator().manual_seed(seed)
        delta = {
            name: Delta(
                torch.randn(rank, into, generator=generator) / into**0.5,
                torch.randn(out, rank, generator=generator) / rank**0.5,
                1.0,
            )
            for name, (out, into) in self.identity.modules.items()
            if name.endswith("_proj")
        }
        write_peft(delta, folder)
        return folder

    def stored(self, name: str, seed: int, *, rank: int = RANK) -> str:
        """Store such an adapter; its reference."""
        card = Card(kind="skill", base=self.identity.for_card())
        folder = self.adapter(seed, rank=rank)
        return self.store.put(folder, card=card, name=name, base=self.identity).ref


def shipped(work: Path) -> Base:
    """The tiny base."""
    return _base(tiny_base_path(), work)


def fifty_million(work: Path) -> Base:
    """A random Qwen3 of hidden size 768 that reads the shipped vocabulary; float32, 200 MB."""
    folder = work / "base"
    folder.mkdir(parents=True)
    for name in _FILES:
        shutil.copyfile(tiny_base_path() / name, folder / name)
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=-(-len(AutoTokenizer.from_pretrained(folder)) // 64) * 64,
        hidden_size=HIDDEN,
        intermediate_size=2048,
        num_hidden_layers=LAYERS,
        num_attention_heads=12,
        num_key_value_heads=12,
        head_dim=64,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        eos_token_id=2,
        pad_token_id=0,
        bos_token_id=None,
    )
    model = Qwen3ForCausalLM(config)  # type: ignore[no-untyped-call]  # transformers has no types
    model.save_pretrained(folder)
    return _base(folder, work)


def _base(path: Path, work: Path) -> Base:
    work.mkdir(parents=True, exist_ok=True)
    identity = identify_base(path, cache_dir=work / "hashes")
    return Base(path, identity, Store(work / "store"), work)
