"""What a PEFT folder's config and header say, judged before a tensor is read.

Owns the tensor names (`lora_A` is our down_RI, `lora_B` our up_OR), the pairing of factors and the
agreement of header and config; both files are opened once. Refuses to own the meaning of values
(`finite.py`, `peft_io.py`) and the base's view (`gate.py`). To add a finding: one line in `_TEXTS`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from .errors import AdapterRefused, Problem
from .finite import Truncated, not_finite
from .folders import open_plain, read_plain
from .limits import DEFAULT_LIMITS, Limits
from .peft_config import HEADS, PeftConfig, parse_config, scale_fault
from .safetensors_header import BadHeader, TensorInfo, read_file_header
from .text import some

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"
PREFIX = "base_model.model."

_NAME = re.compile(r"[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)*", re.ASCII)
_FOREIGN = re.compile(r"\.lora_|base_model\.|base_layer|modules_to_save")
_ENDINGS = {".lora_A.weight": "A", ".lora_B.weight": "B"}
_ENDING_CHARS, _PREFIX_CHARS = len(".lora_A.weight"), len(PREFIX)
_DTYPES = frozenset({"F32", "BF16", "F16"})
_MAX_KEY_CHARS = 256


class ModuleHeader(NamedTuple):
    """Shapes and dtypes of one module's factors, from the header alone."""

    down: TensorInfo
    up: TensorInfo

    @property
    def rank(self) -> int:
        """`R`."""
        return self.down.shape[0]

    @property
    def shape(self) -> tuple[int, int]:
        """`(O, I)`."""
        return self.up.shape[0], self.down.shape[1]


@dataclass(frozen=True)
class AdapterHeader:
    """What can be known about an adapter without reading a tensor."""

    config: PeftConfig
    modules: Mapping[str, ModuleHeader]

    @property
    def rank(self) -> int:
        """The rank that an engine's cap must hold."""
        return self.config.cap_rank


@dataclass(frozen=True)
class Inspection:
    """What an inspection saw, sound or not.

    `modules` holds the well-formed pairs, also beside problems, so that a gate can go on and
    report everything at once.
    """

    config: PeftConfig | None
    modules: Mapping[str, ModuleHeader]
    problems: tuple[Problem, ...]


def inspect_peft(
    folder: Path, limits: Limits = DEFAULT_LIMITS, *, values: bool = False
) -> Inspection:
    """Read config and header of a PEFT folder and find every problem.

    Args:
        folder: its config and weights are opened once each, never through a link.
        limits: upper bounds.
        values: also look for NaN and infinity; otherwise no tensor is read.
    """
    config, problems = _read_config(folder / CONFIG_FILE, limits)
    infos, faults = _read_weights(folder / WEIGHTS_FILE, limits, values=values)
    found = [*problems, *faults]
    modules: dict[str, ModuleHeader] = {}
    if infos is not None:
        modules, more = _pair(infos, limits)
        found += more
    if config is not None:
        found += _compare(config, modules, limits)
    return Inspection(config, modules, tuple(found))


def read_header_of(folder: Path) -> AdapterHeader:
    """The header of a sound PEFT folder: ranks and shapes for engine flags and listings.

    Raises:
        AdapterRefused: `inspect_peft` found problems.
    """
    seen = inspect_peft(folder)
    if seen.problems or seen.config is None:
        raise AdapterRefused(seen.problems, str(folder))
    return AdapterHeader(seen.config, seen.modules)


def _read_config(path: Path, limits: Limits) -> tuple[PeftConfig | None, tuple[Problem, ...]]:
    try:
        return parse_config(read_plain(path, limits.config_bytes))
    except ValueError as err:
        return None, (Problem("too_large", str(err), "this is no PEFT config"),)
    except OSError as err:
        text = f"{CONFIG_FILE} cannot be read: {err.strerror}"
        return None, (Problem("missing_config", text, "point at the folder PEFT saved into"),)


def _read_weights(
    path: Path, limits: Limits, *, values: bool
) -> tuple[Mapping[str, TensorInfo] | None, list[Problem]]:
    try:
        with open_plain(path) as file:
            header = read_file_header(file, limits)
            bad = not_finite(file, header) if values else []
    except (BadHeader, Truncated) as err:
        text = f"{WEIGHTS_FILE}: {err}"
        return None, [Problem("bad_header", text, "save the adapter again with peft")]
    except OSError as err:
        text = f"{WEIGHTS_FILE} cannot be read: {err.strerror}"
        remedy = "save the adapter with save_pretrained(..., safe_serialization=True)"
        return None, [Problem("missing_weights", text, remedy)]
    return header.tensors, [_grouped("not_finite", bad)] if bad else []


def _pair(
    infos: Mapping[str, TensorInfo], limits: Limits
) -> tuple[dict[str, ModuleHeader], list[Problem]]:
    problems: dict[str, list[str]] = {}
    sides: dict[str, dict[str, TensorInfo]] = {}
    for key, info in infos.items():
        side = _ENDINGS.get(key[-_ENDING_CHARS:])
        if side is None or key[:_PREFIX_CHARS] != PREFIX:
            problems.setdefault(_key_fault(key), []).append(key)
            continue
        module = key[_PREFIX_CHARS:-_ENDING_CHARS]
        pair = sides.get(module)
        if pair is None:
            fault = _module_fault(module)
            if fault is not None:
                problems.setdefault(fault if fault != "foreign" else _key_fault(key), []).append(
                    key
                )
                continue
            pair = sides[module] = {}
        pair[side] = info
        if info[0] not in _DTYPES:
            problems.setdefault("wrong_dtype", []).append(f"{key} ({info.dtype})")
    modules: dict[str, ModuleHeader] = {}
    for name in sorted(sides):
        pair = sides[name]
        fault = _pair_fault(pair, limits)
        if fault is None:
            modules[name] = ModuleHeader(pair["A"], pair["B"])
        else:
            problems.setdefault(fault, []).append(
                f"{name} ({', '.join(f'lora_{s} {list(i.shape)}' for s, i in pair.items())})"
            )
    found = [_grouped(code, names) for code, names in problems.items()]
    if (not sides and not found) or len(sides) > limits.modules:
        text = f"the adapter holds {len(sides)} modules: expected 1 to {limits.modules}"
        found.append(Problem("module_count", text, "save the adapter again with peft"))
    return modules, found


@lru_cache(maxsize=1 << 14)  # the adapters of one base all name the same modules
def _module_fault(module: str) -> str | None:
    if len(module) > _MAX_KEY_CHARS - _PREFIX_CHARS or not _NAME.fullmatch(module):
        return "bad_name"
    if _FOREIGN.search(module):
        return "foreign"
    return "head_lora" if module[module.rfind(".") + 1 :] in HEADS else None


def _key_fault(key: str) -> str:
    if len(key) > _MAX_KEY_CHARS or not key.isascii() or not key.isprintable():
        return "bad_name"
    for code, sign in _SIGNS:
        if sign in key:
            return code
    if key.endswith(".bias"):
        return "bias"
    if ".lora_" in key and not key.startswith(PREFIX):
        return "wrong_prefix"
    return "unknown_tensor"


_SIGNS = (
    ("dora", "lora_magnitude_vector"),
    ("embedding_lora", "lora_embedding_"),
    ("modules_to_save", "modules_to_save"),
)


def _pair_fault(pair: Mapping[str, TensorInfo], limits: Limits) -> str | None:
    if len(pair) != 2:
        return "unpaired"
    (down_dtype, down), (up_dtype, up) = pair["A"], pair["B"]
    if len(down) != 2 or len(up) != 2 or down[0] != up[1] or 0 in down or 0 in up:
        return "bad_factors"
    if down_dtype != up_dtype and {down_dtype, up_dtype} <= _DTYPES:
        return "mixed_dtypes"
    return "rank_limit" if down[0] > limits.rank else None


def _compare(
    config: PeftConfig, modules: Mapping[str, ModuleHeader], limits: Limits
) -> list[Problem]:
    costly = config.cost_problem(modules, limits)
    if costly is not None:
        return [costly]
    ranks, scales = config.ranks_of(modules), config.scales_of(modules)
    rank_off = [
        f"{name} (config {ranks[name]}, tensor {module.rank})"
        for name, module in modules.items()
        if ranks[name] != module.rank
    ]
    beyond = ["adapter_config.json"] if config.cap_rank > limits.rank else []
    untargeted = [name for name in modules if not config.targets_module(name)]
    wild = [f"{name} ({fault})" for name, s in scales.items() if (fault := scale_fault(s))]
    silent = [] if any(scales.values()) else list(scales)
    return [
        _grouped(code, names)
        for code, names in (
            ("rank_mismatch", rank_off),
            ("rank_limit", beyond),
            ("untargeted", untargeted),
            ("bad_scale", wild),
            ("zero_scale", silent),
        )
        if names
    ]


_TEXTS: Mapping[str, tuple[str, str]] = {
    "dora": (
        "magnitude vectors of DoRA",
        "merge it (peft: merge_and_unload), subtract the base and extract a LoRA from the "
        "difference, or train with use_dora=False",
    ),
    "embedding_lora": ("LoRA on an embedding", "target linear modules only"),
    "head_lora": (
        "LoRA on the output layer, which vLLM leaves out of prompt_logprobs, so that texts would "
        "be scored as by the base",
        "train without lm_head among the target modules",
    ),
    "modules_to_save": (
        "full copies of modules",
        "train without modules_to_save, or serve the merged model (peft: merge_and_unload)",
    ),
    "bias": ("bias terms", "train with bias='none' and lora_bias=False"),
    "wrong_prefix": (
        f"names without the prefix {PREFIX!r}; vLLM would serve the base silently",
        "save the adapter with peft's save_pretrained on the PeftModel itself",
    ),
    "bad_name": (
        f"names that no module can have (at most {_MAX_KEY_CHARS} letters, digits, '_', '-', '.')",
        "save the adapter again with peft",
    ),
    "unknown_tensor": ("tensors that belong to no LoRA", "save the adapter again with peft"),
    "wrong_dtype": (
        "dtypes other than F32, BF16, F16",
        "cast the adapter before saving (model.to(torch.bfloat16))",
    ),
    "mixed_dtypes": ("factors of two dtypes", "cast both factors to one dtype before saving"),
    "unpaired": ("modules with one factor only", "save the adapter again with peft"),
    "bad_factors": (
        "factors whose shapes do not meet in one rank",
        "save it again with peft; under ZeRO-3 or FSDP gather the shards first",
    ),
    "rank_limit": ("ranks above the limit", "truncate the adapter to a lower rank"),
    "rank_mismatch": (
        "ranks that differ from what the config says, so that the scale would be wrong",
        "save config and weights together",
    ),
    "untargeted": (
        "modules outside target_modules, which PEFT would ignore and vLLM would apply",
        "save config and weights together",
    ),
    "bad_scale": ("scales that overflow", "set lora_alpha to what it was trained with"),
    "zero_scale": (
        "scale 0, every one of them, so that the adapter does nothing",
        "set lora_alpha to what it was trained with",
    ),
    "not_finite": (
        "values that are NaN or infinity",
        "the training diverged: train again with a lower rate",
    ),
}


def _grouped(code: str, names: list[str]) -> Problem:
    what, remedy = _TEXTS[code]
    return Problem(code, f"{len(names)} with {what}: {some(names)}", remedy)
