"""Pretrain the tiny base; run it again after a kill and it resumes.

`python -m skillweave.scripts.train_tiny_base --out DIR` trains, measures the gates on held-out
skills over three evaluation seeds and writes `DIR/base`, a model folder with its card. The folder
replaces the shipped one by hand, and only when every gate has passed.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn
from transformers import PreTrainedModel

from ..distill.provenance import code_revision
from ..distill.tiny_base import tiny_base_path
from ..distill.tiny_base.corpus import Corpus
from ..distill.tiny_base.export import (
    export,
    final_gates,
    load_checkpoint,
    load_tokenizer,
    padded_size,
    token_id,
)
from ..distill.tiny_base.gates import measure_gates
from ..distill.tiny_base.pretrain import PretrainConfig, Pretrainer, model_config, new_model
from ..distill.tiny_base.tokenizer import END, END_OF_TEXT


def main() -> int:
    """Exit code 1 when a gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoint and base")
    parser.add_argument("--tokenizer", type=Path, default=tiny_base_path(), help="its folder")
    parser.add_argument("--steps", type=int, help="of the whole schedule; may change on the way")
    parser.add_argument("--threads", type=int, default=1, help="one, when anything else is busy")
    parser.add_argument("--gate-every", type=int, default=500, help="steps between quick gates")
    parser.add_argument("--gate-items", type=int, default=200, help="items of each final gate")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    config = PretrainConfig(num_steps=args.steps or PretrainConfig.num_steps)
    allow = {"num_steps"} if args.steps else set[str]()
    checkpoint = args.out / "checkpoint.pt"
    trainer = _train(config, checkpoint, args.tokenizer, args.gate_every, allow)

    tokenizer = load_tokenizer(args.tokenizer)
    model = load_checkpoint(checkpoint, config, tokenizer)
    nn.Module.eval(model)
    gates = final_gates(model, tokenizer, num_items=args.gate_items)
    for name, gate in gates.items():
        print(name, gate, flush=True)
    card = {
        "name": "skillweave-tiny",
        "edition": 1,
        "parameters": sum(p.numel() for p in model.parameters()),
        "licence": "Apache-2.0",
        "worlds": ["string_skills"],
        "config": asdict(config),
        "code": code_revision(),
        "gates": gates,
        "gate_items": args.gate_items,
        "curve": trainer.curve,
    }
    export(model, args.tokenizer, args.out / "base", card=card)
    return 0 if all(gate["passed"] for gate in gates.values()) else 1


def _train(
    config: PretrainConfig, checkpoint: Path, folder: Path, gate_every: int, allow: set[str]
) -> Pretrainer:
    tokenizer = load_tokenizer(folder)
    shape = model_config(
        config,
        padded_size(len(tokenizer)),
        end=token_id(tokenizer, END),
        pad=token_id(tokenizer, END_OF_TEXT),
    )
    shape._attn_implementation = "plain"
    torch.manual_seed(config.seed)
    corpus = Corpus(tokenizer, length=config.length, seed=config.seed)
    trainer = Pretrainer(config, new_model(shape), corpus)
    if checkpoint.exists():
        trainer.restore(checkpoint, allow=allow)
        print(f"resumed at step {trainer.step}", flush=True)

    def gates(model: PreTrainedModel) -> dict[str, float]:
        model.set_attn_implementation("sdpa")
        nn.Module.eval(model)
        seen = measure_gates(model, tokenizer, seed=0, num_items=100)
        model.set_attn_implementation("plain")
        nn.Module.train(model)
        return seen

    trainer.run(
        checkpoint,
        save_every=200,
        gate_every=gate_every,
        gates=gates,
        report=lambda line: print(line, flush=True),
    )
    return trainer


if __name__ == "__main__":
    sys.exit(main())
