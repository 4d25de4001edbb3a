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
from transformers import AutoTokenizer, PreTrainedTokenizerBase, Qwen3Config, Qwen3ForCausalLM

from ...adapters.base.identity import identify_base
from .gates import bar, measure_gates, meets
from .shape import Shape, model_config, new_model
from .tokenizer import END, END_OF_TEXT

EDITION = 2
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


def config_for(shape: Shape, tokenizer: PreTrainedTokenizerBase) -> Qwen3Config:
    """The architecture of that shape over a tokenizer's vocabulary."""
    return model_config(
        shape,
        padded_size(len(tokenizer)),
        end=token_id(tokenizer, END),
        pad=token_id(tokenizer, END_OF_TEXT),
    )


def warm_start(folder: Path, config: Qwen3Config) -> tuple[Qwen3ForCausalLM, dict[str, str | int]]:
    """An earlier edition's weights in float32, and what they are: edition and digest.

    Raises:
        ValueError: its weights are of another shape.
    """
    model = new_model(config)
    found = dict(Qwen3ForCausalLM.from_pretrained(folder).named_parameters())
    with torch.no_grad():
        for name, weights in model.named_parameters():
            given = found.pop(name, None)
            if given is None or given.shape != weights.shape:
                seen = "none" if given is None else tuple(given.shape)
                raise ValueError(
                    f"{folder} has {name} of shape {seen}, expected {tuple(weights.shape)}; "
                    "begin from a base of this size or from fresh weights"
                )
            weights.copy_(given)
    if found:
        raise ValueError(f"{folder} has further weights: {', '.join(sorted(found))}")
    edition = json.loads((folder / "card.json").read_text(encoding="utf-8"))["edition"]
    return model, {"edition": edition, "digest": identify_base(folder).family_digest}


def load_checkpoint(
    checkpoint: Path, shape: Shape, tokenizer: PreTrainedTokenizerBase
) -> Qwen3ForCausalLM:
    """The model of a checkpoint, its weights rounded to bfloat16."""
    model = new_model(config_for(shape, tokenizer))
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
    for name in runs[0]:
        values = [run[name] for run in runs]
        mean = statistics.fmean(values)
        out[name] = {"values": values, "mean": mean, "bar": bar(name), "passed": meets(name, mean)}
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
