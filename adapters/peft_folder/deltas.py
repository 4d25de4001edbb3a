"""PEFT's folder on disk <-> `AdapterDelta`.

With `config.py` and `header.py` the only code that knows PEFT's names. Owns the way in
and the way back, never overwriting. Refuses to own judgement (`gate/`) and the store. Needs no
import of peft.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from ..delta import AdapterDelta, Delta
from ..errors import AdapterRefused, Problem
from .findings import PREFIX
from .header import CONFIG_FILE, WEIGHTS_FILE, read_header_of

_Number = TypeVar("_Number", int, float)


def read_peft(folder: Path) -> AdapterDelta:
    """Load an adapter as deltas, each with its effective scale.

    Returns:
        Module name in the base -> `Delta`, in the dtype of the file, in name order.

    Raises:
        AdapterRefused: config or header is not sound (no tensor was read then), or the format's own
            library does not load the file.
    """
    header = read_header_of(folder)
    tensors = _load(folder / WEIGHTS_FILE)
    return {
        name: Delta(
            tensors[f"{PREFIX}{name}.lora_A.weight"],
            tensors[f"{PREFIX}{name}.lora_B.weight"],
            header.config.scale_of(name),
        )
        for name in sorted(header.modules)
    }


def _load(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as err:
        problem = Problem("bad_header", f"{path.name}: {err}", "save the adapter again with peft")
        raise AdapterRefused((problem,), str(path.parent)) from err


def write_peft(delta: AdapterDelta, folder: Path, *, base_model: str | None = None) -> None:
    """Write deltas as a PEFT folder that PEFT and vLLM load as it is.

    Ranks and alphas that differ between modules become `rank_pattern` and `alpha_pattern`. Where a
    rank is no power of two, alpha over rank may miss a scale by one unit in the last place; what
    counts (and what digests see) is the scale read back.

    Args:
        delta: at least one module.
        folder: made if missing; must not yet hold an adapter.
        base_model: written as a hint for people; identity is the card's business.

    Raises:
        FileExistsError: the folder already holds an adapter. No path is overwritten.
        ValueError: `delta` is empty.
    """
    if not delta:
        raise ValueError("an adapter without modules: expected at least one")
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    for name, module in delta.items():
        tensors[f"{PREFIX}{name}.lora_A.weight"] = module.down_RI.detach().cpu().contiguous()
        tensors[f"{PREFIX}{name}.lora_B.weight"] = module.up_OR.detach().cpu().contiguous()
    config = json.dumps(_config_for(delta, base_model), indent=2, sort_keys=True) + "\n"
    _write_new(folder / CONFIG_FILE, config.encode())
    _write_new(folder / WEIGHTS_FILE, save(tensors, metadata={"format": "pt"}))


def _config_for(delta: AdapterDelta, base_model: str | None) -> dict[str, object]:
    ranks = {name: module.rank for name, module in delta.items()}
    alphas = {name: module.scale * module.rank for name, module in delta.items()}
    rank, alpha = _most_common(ranks.values()), _most_common(alphas.values())
    return {
        "alpha_pattern": {_exactly(n): a for n, a in sorted(alphas.items()) if a != alpha},
        "base_model_name_or_path": base_model,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "lora_alpha": int(alpha) if float(alpha).is_integer() else alpha,
        "lora_dropout": 0.0,
        "modules_to_save": None,
        "peft_type": "LORA",
        "r": rank,
        "rank_pattern": {_exactly(n): r for n, r in sorted(ranks.items()) if r != rank},
        "target_modules": sorted(delta),
        "task_type": "CAUSAL_LM",
        "use_dora": False,
        "use_rslora": False,
    }


def _exactly(name: str) -> str:
    return "^" + name.replace(".", r"\.")


def _most_common(values: Iterable[_Number]) -> _Number:
    counts = Counter(values)
    return max(counts, key=lambda value: (counts[value], value))


def _write_new(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
