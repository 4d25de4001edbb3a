"""Pretrain the tiny base; run it again after a kill and it resumes.

`python -m skillweave.scripts.train_tiny_base --out DIR` trains, measures the gates on held-out
skills over three evaluation seeds and writes `DIR/base`, a model folder with its card. `--from`
begins with the weights of an earlier edition, `--size small` makes the smaller sibling. The folder
replaces the shipped one by hand, and only when every gate has passed. A changed mixture or number
of steps is taken over on resuming and stands in the card.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn
from transformers import PreTrainedModel

from ..distill.provenance import code_revision
from ..distill.tiny_base import NAMES, tiny_base_path
from ..distill.tiny_base.corpus import Corpus
from ..distill.tiny_base.export import (
    EDITION,
    config_for,
    export,
    final_gates,
    load_checkpoint,
    load_tokenizer,
    warm_start,
)
from ..distill.tiny_base.gates import measure_gates
from ..distill.tiny_base.memory import keep_freed_memory
from ..distill.tiny_base.mixture import MIXTURE, PARTS, WARM_MIXTURE
from ..distill.tiny_base.pretrain import MAY_CHANGE, PretrainConfig, Pretrainer
from ..distill.tiny_base.shape import SHAPES, new_model

STOPPED = 3
"""Exit code of a run that was stopped before the end of its schedule."""


def main() -> int:
    """Exit code 1 when a gate is missed, 3 when the run was stopped before its end."""
    args = _parser().parse_args()
    torch.set_num_threads(args.threads)
    keep_freed_memory()
    args.out.mkdir(parents=True, exist_ok=True)
    trainer, done = _train(args)
    if not done:
        print(f"stopped at step {trainer.step}; run the same command to go on", flush=True)
        return STOPPED
    tokenizer = load_tokenizer(args.tokenizer)
    model = load_checkpoint(args.out / "checkpoint.pt", SHAPES[args.size], tokenizer)
    nn.Module.eval(model)
    gates = final_gates(model, tokenizer, num_items=args.gate_items)
    for name, gate in gates.items():
        print(name, gate, flush=True)
    card = {
        "name": NAMES[args.size],
        "edition": EDITION,
        "parameters": sum(p.numel() for p in model.parameters()),
        "licence": "Apache-2.0",
        "worlds": sorted({part.split(".")[0] for part in MIXTURE}),
        "continues": trainer.origin,
        "config": asdict(trainer.config),
        "history": trainer.history,
        "code": code_revision(),
        "gates": gates,
        "gate_items": args.gate_items,
        "curve": trainer.curve,
    }
    export(model, args.tokenizer, args.out / "base", card=card)
    return 0 if all(gate["passed"] for gate in gates.values()) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoint and base")
    parser.add_argument("--tokenizer", type=Path, default=tiny_base_path(), help="its folder")
    parser.add_argument("--size", choices=tuple(SHAPES), default="base")
    parser.add_argument(
        "--from", dest="origin", type=Path, help="folder of the edition to begin with"
    )
    parser.add_argument(
        "--spread", action="store_true", help="draw embeddings apart also on resuming, once"
    )
    parser.add_argument("--steps", type=int, help="of the whole schedule; may change on the way")
    parser.add_argument("--minutes", type=float, help="stop and save after so many")
    parser.add_argument("--threads", type=int, default=1, help="one, when anything else is busy")
    parser.add_argument("--gate-every", type=int, default=500, help="steps between quick gates")
    parser.add_argument("--quick-items", type=int, default=30, help="items of each quick gate")
    parser.add_argument("--gate-items", type=int, default=200, help="items of each final gate")
    return parser


def _train(args: argparse.Namespace) -> tuple[Pretrainer, bool]:
    tokenizer = load_tokenizer(args.tokenizer)
    config = PretrainConfig(
        shape=SHAPES[args.size],
        num_steps=args.steps or PretrainConfig.num_steps,
        warm_mixture_steps=0 if args.origin else PretrainConfig.warm_mixture_steps,
        mixture=MIXTURE,
        warm_mixture={} if args.origin else WARM_MIXTURE,
    )
    torch.manual_seed(config.seed)
    shape = config_for(config.shape, tokenizer)
    model, origin = warm_start(args.origin, shape) if args.origin else (new_model(shape), None)
    model.set_attn_implementation("plain")
    corpus = Corpus(tokenizer, PARTS, length=config.length, seed=config.seed)
    trainer = Pretrainer(config, model, corpus, origin=origin)
    checkpoint = args.out / "checkpoint.pt"
    if checkpoint.exists():
        trainer.restore(checkpoint, allow=MAY_CHANGE)
        print(f"resumed at step {trainer.step}", flush=True)
    if args.spread or not checkpoint.exists():
        num = trainer.spread_embeddings()
        print(f"drew {num} embeddings apart that no row had shown", flush=True)

    def gates(model: PreTrainedModel) -> dict[str, float]:
        model.set_attn_implementation("sdpa")
        nn.Module.eval(model)
        seen = measure_gates(model, tokenizer, seed=0, num_items=args.quick_items)
        model.set_attn_implementation("plain")
        nn.Module.train(model)
        return seen

    done = trainer.run(
        checkpoint,
        save_every=100,
        gate_every=args.gate_every,
        gates=gates,
        report=lambda line: print(line, flush=True),
        stop=_stopper(args.minutes),
    )
    return trainer, done


def _stopper(minutes: float | None) -> Callable[[], bool]:
    """Says yes when the time is over or somebody has asked the process to end."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    until = time.monotonic() + 60 * minutes if minutes else float("inf")
    return lambda: bool(asked) or time.monotonic() >= until


if __name__ == "__main__":
    sys.exit(main())
