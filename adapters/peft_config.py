"""PEFT's `adapter_config.json`: which of its keys we understand, and what they say. Pure.

Owns the rule that whatever could change the function and is not covered by the weights digest is
refused, and the reading of ranks, scales and targets, pattern by pattern as PEFT does it
(`peft.utils.other.get_pattern_key`, `peft.tuners.tuners_utils.check_target_module_exists`).
Refuses to own tensors (`peft_io.py`). To admit a new key: one line in a table below, and where it
changes the function, its meaning in `PeftConfig`.
"""

import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import Problem

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_Value = TypeVar("_Value", int, float)

_INFORMATIONAL = frozenset(
    {
        "auto_mapping",
        "base_model_name_or_path",
        "corda_config",  # inits: judged by init_lora_weights alone
        "eva_config",
        "inference_mode",
        "loftq_config",
        "lora_dropout",
        "lora_ga_config",
        "megatron_core",
        "peft_version",
        "qalora_group_size",  # means something only with use_qalora
        "revision",
        "runtime_config",
        "task_type",
    }
)
_READ = frozenset(
    {
        "peft_type",
        "r",
        "lora_alpha",
        "use_rslora",
        "rank_pattern",
        "alpha_pattern",
        "target_modules",
        "exclude_modules",
        "layers_to_transform",
        "layers_pattern",
        "init_lora_weights",
    }
)
_PLAIN = "train a plain LoRA (LoraConfig without this option)"
_MERGE = "merge it into its base and extract a plain LoRA, or train without this option"
_NEUTRAL_ONLY: Mapping[str, tuple[str, str]] = {
    "use_dora": ("dora", _PLAIN),
    "bias": ("bias", "train with bias='none'"),
    "lora_bias": ("bias", "train with lora_bias=False"),
    "modules_to_save": ("modules_to_save", "train without modules_to_save"),
    "alora_invocation_tokens": ("unsupported_config", _PLAIN),
    "arrow_config": ("unsupported_config", _PLAIN),
    "ensure_weight_tying": ("unsupported_config", _PLAIN),
    "fan_in_fan_out": ("unsupported_config", "use a base whose layers are torch.nn.Linear"),
    "kasa_config": ("unsupported_config", _MERGE),
    "layer_replication": ("unsupported_config", _MERGE),
    "megatron_config": ("unsupported_config", _PLAIN),
    "monteclora_config": ("unsupported_config", _PLAIN),
    "target_parameters": ("unsupported_config", "target linear modules by name"),
    "trainable_token_indices": ("unsupported_config", "train without trainable_token_indices"),
    "use_bdlora": ("unsupported_config", _MERGE),
    "use_qalora": ("unsupported_config", _MERGE),
    "velora_config": ("unsupported_config", _PLAIN),
}
# Inits that leave the base as it is; the same list as vLLM's `PEFTHelper._init_is_supported`.
_PLAIN_INITS = frozenset({"gaussian", "eva", "orthogonal", "mica", "lora_ga"})
_NEUTRAL: tuple[object, ...] = (None, False, "", "none", [], {})

_MAX_PATTERNS = 1024
_PATTERN = re.compile(r"(?:[A-Za-z0-9_.\-^$|()\[\]*+?:]|\\[.\-dw]){1,512}")


_Rank = Annotated[int, Field(ge=1, le=1 << 20)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Names = tuple[str, ...]


class PeftConfig(BaseModel):
    """The part of a LoRA config that decides what the adapter computes."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, strict=True, use_attribute_docstrings=True
    )

    r: _Rank
    """Rank where no pattern matches."""
    lora_alpha: _Number
    """Alpha where no pattern matches."""
    target_modules: Annotated[str, Field(min_length=1)] | Annotated[_Names, Field(min_length=1)]
    """Last parts of module names, or one pattern over whole names."""
    use_rslora: bool = False
    """Alpha is divided by the square root of the rank."""
    rank_pattern: dict[str, _Rank] = {}
    """Pattern -> rank; the first match wins."""
    alpha_pattern: dict[str, _Number] = {}
    """Pattern -> alpha; the first match wins."""
    exclude_modules: str | _Names = ()
    """Like `target_modules`, taken away from it."""
    layers_to_transform: int | tuple[int, ...] = ()
    """Layer numbers; empty means all."""
    layers_pattern: str | _Names = ()
    """Names of the list of layers; empty means any."""

    def rank_of(self, module: str) -> int:
        """The rank of a module: the first matching pattern, else `r`."""
        return _first(self.rank_pattern, module) or self.r

    def scale_of(self, module: str) -> float:
        """The effective scale: alpha over rank, for rsLoRA over its square root."""
        found = _first(self.alpha_pattern, module)
        alpha = self.lora_alpha if found is None else found
        rank = self.rank_of(module)
        return alpha / math.sqrt(rank) if self.use_rslora else alpha / rank

    def targets_module(self, module: str) -> bool:
        """Whether PEFT would put an adapter on this module, and so load its weights."""
        targets = self.target_modules
        if _named(self.exclude_modules, module):
            return False
        if isinstance(targets, str):
            return targets == "all-linear" or _named(targets, module)
        if module in targets:
            return True
        return _named(targets, module) and self._in_layers(module)

    def _in_layers(self, module: str) -> bool:
        chosen = self.layers_to_transform
        layers = (chosen,) if isinstance(chosen, int) else chosen
        if not layers:
            return True
        patterns = [rf"(?:^|.*?\.){p}\.(\d+)\." for p in _as_names(self.layers_pattern)]
        for pattern in patterns or [r".*?\.[^.]*\.(\d+)\."]:
            if match := _compiled(pattern).match(module):
                return int(match[1]) in layers
        return False


def parse_config(raw: bytes) -> tuple[PeftConfig | None, tuple[Problem, ...]]:
    """Read and judge the bytes of an `adapter_config.json`.

    Returns:
        The config, or None where it cannot be read at all, and every problem found.
    """
    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as err:
        return None, (_bad(f"it is no JSON without duplicate keys: {err}"),)
    if not isinstance(document, dict):
        return None, (_bad(f"it is a JSON {type(document).__name__}: expected an object"),)
    problems = [*_judge_type(document), *_judge_keys(document), *_judge_init(document)]
    config, faults = _read(document)
    return config, (*problems, *faults)


def _judge_type(document: Mapping[str, object]) -> list[Problem]:
    kind = document.get("peft_type")
    if kind == "LORA":
        return []
    return [
        Problem("not_lora", f"peft_type is {kind!r}: expected 'LORA'", "train or convert to LoRA")
    ]


def _judge_keys(document: Mapping[str, object]) -> list[Problem]:
    problems = []
    for key, value in document.items():
        neutral = any(value is n or (value == n and type(value) is type(n)) for n in _NEUTRAL)
        if key in _INFORMATIONAL or key in _READ or neutral:
            continue
        code, remedy = _NEUTRAL_ONLY.get(
            key, ("unknown_config", "update skillweave, or remove the key if it changes nothing")
        )
        what = "is unknown and could change" if code == "unknown_config" else "changes"
        shown = repr(value)[:80]
        problems.append(Problem(code, f"config key {key!r} = {shown} {what} the function", remedy))
    return problems


def _judge_init(document: Mapping[str, object]) -> list[Problem]:
    init = document.get("init_lora_weights", True)
    if init is None or isinstance(init, bool):
        return []
    if isinstance(init, str) and init.lower() in _PLAIN_INITS:
        return []
    return [
        Problem(
            "base_rewriting_init",
            f"init_lora_weights is {init!r}, which rewrites the base when the adapter is loaded",
            "save it again with save_pretrained(..., path_initial_model_for_weight_conversion=...)",
        )
    ]


def _read(document: Mapping[str, object]) -> tuple[PeftConfig | None, list[Problem]]:
    try:
        given = {key: value for key, value in document.items() if value is not None}
        config = PeftConfig.model_validate_json(json.dumps(given))
    except ValidationError as err:
        return None, [_fault(detail) for detail in err.errors()]
    unsafe = _judge_patterns(config)
    return (None if unsafe else config), unsafe


def _fault(detail: "ErrorDetails") -> Problem:
    place = ".".join(str(part) for part in detail["loc"])
    return _bad(f"{place} is {detail['input']!r}"[:200] + f": {detail['msg']}")


def _judge_patterns(config: PeftConfig) -> list[Problem]:
    """Patterns come from strangers and meet every module: only plain, cheap ones may run."""
    patterns = [*config.rank_pattern, *config.alpha_pattern, *_as_names(config.layers_pattern)]
    patterns += [p for p in (config.target_modules, config.exclude_modules) if isinstance(p, str)]
    remedy = "spell out the module names"
    if len(patterns) > _MAX_PATTERNS:
        text = f"the config holds {len(patterns)} patterns: at most {_MAX_PATTERNS}"
        return [Problem("unsafe_pattern", text, remedy)]
    return [
        Problem("unsafe_pattern", f"pattern {p[:80]!r} is not a plain, cheap expression", remedy)
        for p in patterns
        if not _is_cheap(p)
    ]


def _is_cheap(pattern: str) -> bool:
    if not _PATTERN.fullmatch(pattern) or re.search(r"\)[*+]|\(\?(?!:)|[*+?][*+]", pattern):
        return False
    if sum(pattern.count(c) for c in "*+") > 3:
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _first(patterns: Mapping[str, _Value], module: str) -> _Value | None:
    for pattern, value in patterns.items():
        if _compiled(rf"(.*\.)?({pattern})$").match(module):
            return value
    return None


def _named(names: str | _Names, module: str) -> bool:
    if isinstance(names, str):
        return bool(names) and _compiled(names).fullmatch(module) is not None
    return any(module == name or module.endswith(f".{name}") for name in names)


def _as_names(names: str | _Names) -> _Names:
    return names if isinstance(names, tuple) else (names,) if names else ()


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key")
    return result


def _bad(text: str) -> Problem:
    return Problem("bad_config", f"adapter_config.json: {text}", "save the adapter again with peft")
