"""A base of one linear module, and adapters on it: enough for store and gate, too little to run."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from skillweave.adapters.delta import Delta
from skillweave.adapters.peft_folder.deltas import write_peft

MODULE = "model.layers.0.self_attn.q_proj"


def make_base(folder: Path, *, into: int = 8) -> Path:
    """The files by which a base is identified, with random weights; no engine loads it."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"architectures": ["Qwen3ForCausalLM"], "torch_dtype": "float32"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    weight = torch.randn(16, into, generator=torch.Generator().manual_seed(into))
    save_file({f"{MODULE}.weight": weight}, folder / "model.safetensors")
    return folder


def make_adapter(folder: Path, *, seed: int, rank: int = 2, into: int = 8) -> Path:
    """A sound PEFT folder for `make_base`; another seed gives other bytes."""
    generator = torch.Generator().manual_seed(seed)
    down = torch.randn(rank, into, generator=generator)
    up = torch.randn(16, rank, generator=generator)
    write_peft({MODULE: Delta(down, up, 1.0)}, folder)
    return folder
