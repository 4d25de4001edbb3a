"""What a PEFT folder's config and header say, judged before a tensor is read.

Owns the tensor names (`lora_A` is our down_RI, `lora_B` our up_OR), the pairing of factors and the
agreement of header and config. Refuses to own values (`peft_io.py`) and the base's view
(`gate.py`). To add a finding: one line in `_TEXTS`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import AdapterRefused, Problem
from .limits import DEFAULT_LIMITS, Limits
from .peft_config import PeftConfig, parse_config
from .safetensors_header import BadHeader, TensorInfo, read_header

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"
PREFIX = "base_model.model."

_KEY = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")
_DTYPES = frozenset({"F32", "BF16", "F16"})
_MAX_KEY_CHARS = 256
_EXAMPLES = 3


@dataclass(frozen=True)
class ModuleHeader:
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
        """The largest rank of any module: what an engine's cap is compared with."""
        return max(module.rank for module in self.modules.values())


@dataclass(frozen=True)
class Inspection:
    """What an inspection saw, sound or not.

    `modules` holds the well-formed pairs, also beside problems, so that a gate can go on and
    report everything at once. `readable` says whether the weights file has a sound header.
    """

    config: PeftConfig | None
    modules: Mapping[str, ModuleHeader]
    readable: bool
    problems: tuple[Problem, ...]


def inspect_peft(folder: Path, limits: Limits = DEFAULT_LIMITS) -> Inspection:
    """Read config and header of a PEFT folder, never a tensor, and find every problem."""
    config, problems = _read_config(folder / CONFIG_FILE, limits)
    infos, faults = _read_infos(folder / WEIGHTS_FILE, limits)
    found = [*problems, *faults]
    modules: dict[str, ModuleHeader] = {}
    if infos is not None:
        modules, more = _pair(infos, limits)
        found += more
    if config is not None:
        found += _compare(config, modules)
    return Inspection(config, modules, infos is not None, tuple(found))


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
        size = path.stat().st_size
        if size > limits.config_bytes:
            text = f"{CONFIG_FILE} has {size} bytes: at most {limits.config_bytes}"
            return None, (Problem("too_large", text, "this is no PEFT config"),)
        return parse_config(path.read_bytes())
    except OSError as err:
        text = f"{CONFIG_FILE} cannot be read: {err.strerror}"
        return None, (Problem("missing_config", text, "point at the folder PEFT saved into"),)


def _read_infos(
    path: Path, limits: Limits
) -> tuple[dict[str, TensorInfo] | None, tuple[Problem, ...]]:
    try:
        return read_header(path, limits), ()
    except BadHeader as err:
        text = f"{WEIGHTS_FILE}: {err}"
        return None, (Problem("bad_header", text, "save the adapter again with peft"),)
    except OSError as err:
        text = f"{WEIGHTS_FILE} cannot be read: {err.strerror}"
        remedy = "save the adapter with save_pretrained(..., safe_serialization=True)"
        return None, (Problem("missing_weights", text, remedy),)


def _pair(
    infos: Mapping[str, TensorInfo], limits: Limits
) -> tuple[dict[str, ModuleHeader], list[Problem]]:
    problems: dict[str, list[str]] = {}
    sides: dict[str, dict[str, TensorInfo]] = {}
    for key, info in infos.items():
        match = _KEY.fullmatch(key)
        if match is None or len(key) > _MAX_KEY_CHARS:
            problems.setdefault(_key_fault(key), []).append(key[:_MAX_KEY_CHARS])
        else:
            sides.setdefault(match["module"], {})[match["side"]] = info
            if info.dtype not in _DTYPES:
                problems.setdefault("wrong_dtype", []).append(f"{key} ({info.dtype})")
    modules: dict[str, ModuleHeader] = {}
    for name, pair in sorted(sides.items()):
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


def _key_fault(key: str) -> str:
    if "lora_magnitude_vector" in key:
        return "dora"
    if "lora_embedding_" in key:
        return "embedding_lora"
    if "modules_to_save" in key:
        return "modules_to_save"
    if key.endswith(".bias"):
        return "bias"
    if ".lora_" in key and not key.startswith(PREFIX):
        return "wrong_prefix"
    return "unknown_tensor"


def _pair_fault(pair: Mapping[str, TensorInfo], limits: Limits) -> str | None:
    if set(pair) != {"A", "B"}:
        return "unpaired"
    down, up = pair["A"].shape, pair["B"].shape
    if len(down) != 2 or len(up) != 2 or down[0] != up[1] or 0 in (*down, *up):
        return "bad_factors"
    return "rank_limit" if down[0] > limits.rank else None


def _compare(config: PeftConfig, modules: Mapping[str, ModuleHeader]) -> list[Problem]:
    rank_off = [
        f"{name} (config {config.rank_of(name)}, tensor {module.rank})"
        for name, module in modules.items()
        if config.rank_of(name) != module.rank
    ]
    untargeted = [name for name in modules if not config.targets_module(name)]
    return [
        _grouped(code, names)
        for code, names in (("rank_mismatch", rank_off), ("untargeted", untargeted))
        if names
    ]


_TEXTS: Mapping[str, tuple[str, str]] = {
    "dora": ("magnitude vectors of DoRA", "train a plain LoRA (use_dora=False)"),
    "embedding_lora": ("LoRA on an embedding", "target linear modules only"),
    "modules_to_save": ("full copies of modules", "train without modules_to_save"),
    "bias": ("bias terms", "train with bias='none' and lora_bias=False"),
    "wrong_prefix": (
        f"names without the prefix {PREFIX!r}; vLLM would serve the base silently",
        "save the adapter with peft's save_pretrained on the PeftModel itself",
    ),
    "unknown_tensor": ("tensors that belong to no LoRA", "save the adapter again with peft"),
    "wrong_dtype": ("dtypes other than F32, BF16, F16", "cast the adapter before saving"),
    "unpaired": ("modules with one factor only", "save the adapter again with peft"),
    "bad_factors": ("factors whose shapes do not meet in one rank", "save it again with peft"),
    "rank_limit": ("ranks above the limit", "truncate the adapter to a lower rank"),
    "rank_mismatch": (
        "ranks that differ from what the config says, so that the scale would be wrong",
        "save config and weights together",
    ),
    "untargeted": (
        "modules outside target_modules, which PEFT would ignore and vLLM would apply",
        "save config and weights together",
    ),
}


def _grouped(code: str, names: list[str]) -> Problem:
    what, remedy = _TEXTS[code]
    shown = ", ".join(names[:_EXAMPLES]) + (", ..." if len(names) > _EXAMPLES else "")
    return Problem(code, f"{len(names)} with {what}: {shown}", remedy)
