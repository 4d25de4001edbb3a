"""Pretrain the tiny base; run it again after a kill and it resumes.

`python -m skillweave.scripts.train_tiny_base --tokenizer DIR --out DIR`
"""

import argparse
from pathlib import Path

import torch
from transformers import AutoTokenizer, PreTrainedModel, Qwen3ForCausalLM

from ..distill.tiny_base.corpus import Corpus
from ..distill.tiny_base.gates import measure_gates
from ..distill.tiny_base.pretrain import PretrainConfig, Pretrainer, model_config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder of the tokenizer")
    parser.add_argument("--steps", type=int, default=PretrainConfig.num_steps)
    parser.add_argument("--threads", type=int, default=1, help="one, when anything else is busy")
    parser.add_argument("--gate-every", type=int, default=500)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(args.tokenizer)
    config = PretrainConfig(num_steps=args.steps)
    size = -(-len(tokenizer) // 64) * 64
    shape = model_config(config, size, end=tokenizer.eos_token_id, pad=tokenizer.pad_token_id)
    shape._attn_implementation = "plain"
    torch.manual_seed(config.seed)
    model = Qwen3ForCausalLM(shape)
    corpus = Corpus(tokenizer, length=config.length, seed=config.seed)
    trainer = Pretrainer(config, model, corpus)
    checkpoint = args.out / "checkpoint.pt"
    if checkpoint.exists():
        trainer.restore(checkpoint)
        print(f"resumed at step {trainer.step}", flush=True)

    def gates(model: PreTrainedModel) -> dict[str, float]:
        model.set_attn_implementation("sdpa")
        model.eval()
        seen = measure_gates(model, tokenizer, seed=0, num_items=100)
        model.set_attn_implementation("plain")
        model.train()
        return seen

    trainer.run(
        checkpoint,
        save_every=200,
        gate_every=args.gate_every,
        gates=gates,
        report=lambda line: print(line, flush=True),
    )


if __name__ == "__main__":
    main()
