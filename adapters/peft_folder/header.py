"""What a PEFT folder's config and header say, judged before a tensor is read.

Owns the tensor names (`lora_A` is our down_RI, `lora_B` our up_OR), the pairing of factors and the
agreement of header and config; both files are opened once. Refuses to own the meaning of values
(`finite.py`, `deltas.py`) and the base's view (`gate/policy.py`). To add a finding: its
words in `findings.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ..errors import AdapterRefused, Problem
from ..folders import open_plain, read_plain
from ..limits import DEFAULT_LIMITS, Limits
from .config import HEADS, PeftConfig, is_zero_scale, parse_config, scale_fault
from .findings import MAX_KEY_CHARS, PREFIX, finding
from .finite import Truncated, not_finite
from .safetensors_header import BadHeader, TensorInfo, read_file_header

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"

_NAME = re.compile(r"[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)*", re.ASCII)
_FOREIGN = re.compile(r"\.lora_|base_model\.|base_layer|modules_to_save")
_ENDINGS = {".lora_A.weight": "A", ".lora_B.weight": "B"}
_ENDING_CHARS, _PREFIX_CHARS = len(".lora_A.weight"), len(PREFIX)
_DTYPES = frozenset({"F32", "BF16", "F16"})


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
    return header.tensors, [finding("not_finite", bad)] if bad else []


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
    found = [finding(code, names) for code, names in problems.items()]
    if (not sides and not found) or len(sides) > limits.modules:
        text = f"the adapter holds {len(sides)} modules: expected 1 to {limits.modules}"
        found.append(Problem("module_count", text, "save the adapter again with peft"))
    return modules, found


@lru_cache(maxsize=1 << 14)  # the adapters of one base all name the same modules
def _module_fault(module: str) -> str | None:
    if len(module) > MAX_KEY_CHARS - _PREFIX_CHARS or not _NAME.fullmatch(module):
        return "bad_name"
    if _FOREIGN.search(module):
        return "foreign"
    return "head_lora" if module[module.rfind(".") + 1 :] in HEADS else None


def _key_fault(key: str) -> str:
    if len(key) > MAX_KEY_CHARS or not key.isascii() or not key.isprintable():
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
    silent = list(scales) if all(is_zero_scale(s) for s in scales.values()) else []
    return [
        finding(code, names)
        for code, names in (
            ("rank_mismatch", rank_off),
            ("rank_limit", beyond),
            ("untargeted", untargeted),
            ("bad_scale", wild),
            ("zero_scale", silent),
        )
        if names
    ]
