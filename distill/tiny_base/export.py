"""From a checkpoint to a model folder that transformers and vLLM load, with its card.

Weights are stored in bfloat16, as they were used in training; loading them in float32 is exact.
"""

import json
import math
import shutil
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn
from transformers import AutoTokenizer, PreTrainedTokenizerBase, Qwen3ForCausalLM

from .gates import BARS, NO_TEXT_BAR, measure_gates
from .pretrain import PretrainConfig, model_config, new_model
from .tokenizer import END, END_OF_TEXT

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
EVALUATION_SEEDS = (1, 2, 3)
"""Seeds of the gates; none is used while training."""

Gates = dict[str, dict[str, float | list[float] | bool]]


def padded_size(num_tokens: int) -> int:
    """Rows of the embedding: the vocabulary rounded up to a multiple of 64."""
    return math.ceil(num_tokens / 64) * 64


def token_id(tokenizer: PreTrainedTokenizerBase, token: str) -> int:
    """The id of one token that the vocabulary must have."""
    found = tokenizer.convert_tokens_to_ids(token)
    assert isinstance(found, int), token
    return found


def load_checkpoint(
    checkpoint: Path, config: PretrainConfig, tokenizer: PreTrainedTokenizerBase
) -> Qwen3ForCausalLM:
    """The model of a checkpoint, its weights rounded to bfloat16."""
    shape = model_config(
        config,
        padded_size(len(tokenizer)),
        end=token_id(tokenizer, END),
        pad=token_id(tokenizer, END_OF_TEXT),
    )
    model = new_model(shape)
    state = torch.load(checkpoint, weights_only=True)
    params = dict(model.named_parameters())
    with torch.no_grad():
        for name, master in state["masters"].items():
            params[name].copy_(master.to(torch.bfloat16).float())
    return model


def final_gates(
    model: Qwen3ForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    *,
    num_items: int,
    seeds: Sequence[int] = EVALUATION_SEEDS,
) -> Gates:
    """Every gate over the evaluation seeds: values, mean, bar, and whether the mean meets it."""
    runs = [measure_gates(model, tokenizer, seed=seed, num_items=num_items) for seed in seeds]
    out: Gates = {}
    for name in (*BARS, "no_text"):
        values = [run[name] for run in runs]
        bar = BARS.get(name, NO_TEXT_BAR)
        mean = statistics.fmean(values)
        passed = mean <= bar if name == "no_text" else mean >= bar
        out[name] = {"values": values, "mean": mean, "bar": bar, "passed": passed}
    return out


def export(
    model: Qwen3ForCausalLM,
    tokenizer_dir: Path,
    out: Path,
    *,
    card: Mapping[str, object],
) -> None:
    """Write the model folder: bfloat16 weights, config, tokenizer, template and card."""
    out.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        if (tokenizer_dir / name).resolve() != (out / name).resolve():
            shutil.copyfile(tokenizer_dir / name, out / name)
    nn.Module.to(model, torch.bfloat16)
    model.save_pretrained(str(out))
    (out / "model.safetensors").chmod(0o644)
    (out / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer in `folder`, as transformers and vLLM see it."""
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    return tokenizer
