"""What safetensors and peft make of a folder, held against what we make of it.

Self-contained: the exam of the gate loads it from outside pytest.
"""

import json
import math
import warnings
from pathlib import Path

from peft import LoraConfig
from peft.tuners.tuners_utils import check_target_module_exists
from peft.utils.other import get_pattern_key
from safetensors import SafetensorError, safe_open
from skillweave.adapters.peft_folder.config import PeftConfig
from skillweave.adapters.peft_folder.deltas import read_peft
from skillweave.adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE, read_header_of
from skillweave.adapters.peft_folder.safetensors_header import BadHeader, read_header

from .healthy import BASE


def disagreements(folder: Path, *, taken: bool) -> list[str]:
    """Where the libraries see something else than we do; empty where all agree.

    A header that we take is held against safetensors even where the gate refuses the adapter;
    config and values only where the gate took it.
    """
    found = _header(folder / WEIGHTS_FILE)
    if taken:
        found += _config(folder)
        found += _values(folder)
    return found


def _header(path: Path) -> list[str]:
    try:
        ours = read_header(path)
    except BadHeader:
        return []
    try:
        with safe_open(path, framework="numpy") as file:
            theirs = {
                name: (file.get_slice(name).get_dtype(), tuple(file.get_slice(name).get_shape()))
                for name in file.keys()  # noqa: SIM118  # no mapping
            }
    except SafetensorError as err:
        return [f"we take a header that safetensors refuses: {err}"]
    return [] if ours == theirs else ["safetensors sees other names, dtypes or shapes"]


def _config(folder: Path) -> list[str]:
    ours = read_header_of(folder).config
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # keys of other versions, inits that are ignored
            theirs = LoraConfig.from_pretrained(str(folder))
    except (ValueError, TypeError, KeyError, AttributeError) as err:
        return [f"we take a config that peft refuses: {type(err).__name__}: {err}"]
    return [
        f"peft reads {name} otherwise" for name in BASE.modules if not _same(name, ours, theirs)
    ]


def _same(name: str, ours: PeftConfig, theirs: LoraConfig) -> bool:
    rank = theirs.rank_pattern.get(get_pattern_key(theirs.rank_pattern.keys(), name), theirs.r)
    alpha = theirs.alpha_pattern.get(
        get_pattern_key(theirs.alpha_pattern.keys(), name), theirs.lora_alpha
    )
    scale = alpha / math.sqrt(rank) if theirs.use_rslora else alpha / rank
    targets = theirs.target_modules
    if isinstance(targets, str) and targets.lower() == "all-linear":
        theirs.target_modules = ".*(?<!lm_head)"  # peft resolves it on the model, without the head
    seen = check_target_module_exists(theirs, name)
    targeted = bool(seen) and type(seen).__name__ != "_ExcludedModule"
    theirs.target_modules = targets
    return (ours.rank_of(name), ours.scale_of(name), ours.targets_module(name)) == (
        rank,
        scale,
        targeted,
    )


def _values(folder: Path) -> list[str]:
    delta = read_peft(folder)
    odd = [
        name
        for name, module in delta.items()
        if module.shape != BASE.modules[name]
        or not bool(module.down_RI.isfinite().all() and module.up_OR.isfinite().all())
    ]
    json.loads((folder / CONFIG_FILE).read_bytes())  # as vLLM reads it
    return [f"{name} has another shape or odd values" for name in odd]
