"""PEFT's `adapter_config.json`: what it says about ranks, scales and targets. Pure.

Owns the reading of ranks, scales and targets, pattern by pattern as PEFT does it
(`peft.utils.other.get_pattern_key`, `peft.tuners.tuners_utils.check_target_module_exists`), and
the bound on what its patterns may cost. Refuses to own the other keys (`config_keys.py`), regular
expressions (`patterns.py`) and tensors (`deltas.py`).
"""

import math
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import Problem
from ..limits import DEFAULT_LIMITS, Limits
from ..text import shown
from .config_keys import READ, bad_config, judge_keys
from .pattern_syntax import Unreadable
from .pattern_table import PatternTable
from .patterns import Program, read_pattern, worst_steps
from .safetensors_header import parse_object

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_MAX_PATTERNS = 2048
_STEPS_OF_ONE_CALL = 10
_MAX_FLOAT32 = 3.4028234663852886e38
_MIN_FLOAT32 = 1.1754943508222875e-38  # the smallest normal number
HEADS = frozenset({"lm_head", "embed_out"})
"""Last parts of the names of output layers; `all-linear` leaves them out."""

_Rank = Annotated[int, Field(ge=1, le=1 << 20)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Names = tuple[Annotated[str, Field(min_length=1)], ...]
_Layer = Annotated[int, Field(ge=0, le=1 << 20)]


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
    layers_to_transform: _Layer | tuple[_Layer, ...] = ()
    """Layer numbers; empty means all."""
    layers_pattern: str | _Names = ()
    """Names of the list of layers; empty means any."""

    def rank_of(self, module: str) -> int:
        """The rank of a module: the first matching pattern, else `r`."""
        return (self.rank_table.find(module) if self.rank_pattern else None) or self.r

    @property
    def cap_rank(self) -> int:
        """What vLLM compares with its cap: the largest rank the config names, used or not."""
        return max(self.r, *self.rank_pattern.values()) if self.rank_pattern else self.r

    def scale_of(self, module: str) -> float:
        """The effective scale: alpha over rank, for rsLoRA over its square root."""
        found = self.alpha_table.find(module) if self.alpha_pattern else None
        alpha = self.lora_alpha if found is None else found
        rank = self.rank_of(module)
        return alpha / math.sqrt(rank) if self.use_rslora else alpha / rank

    def ranks_of(self, modules: Iterable[str]) -> dict[str, int]:
        """`rank_of` for many modules."""
        if not self.rank_pattern:
            return dict.fromkeys(modules, self.r)
        return {module: self.rank_of(module) for module in modules}

    def scales_of(self, modules: Iterable[str]) -> dict[str, float]:
        """`scale_of` for many modules."""
        if not self.rank_pattern and not self.alpha_pattern:
            return dict.fromkeys(modules, self.scale_of(""))
        return {module: self.scale_of(module) for module in modules}

    def targets_module(self, module: str) -> bool:
        """Whether PEFT would put an adapter on this module, and so load its weights."""
        if self.targets_last_names and module[module.rfind(".") + 1 :] in self.target_names:
            return True
        if self.exclude_modules and _named(self.exclude_modules, self.excluded_names, module):
            return False
        if self.targets_all_linear:
            return module.rpartition(".")[2] not in HEADS
        if not _named(self.target_modules, self.target_names, module):
            return False
        exact = isinstance(self.target_modules, str) or module in self.target_names
        return exact or self._in_layers(module)

    @cached_property
    def targets_all_linear(self) -> bool:
        """The short word for every linear layer but the output layer."""
        return isinstance(self.target_modules, str) and self.target_modules.lower() == "all-linear"

    @cached_property
    def targets_last_names(self) -> bool:
        """A plain list of names, as nearly every config has it."""
        return not (isinstance(self.target_modules, str) or self.exclude_modules or self._layers)

    @cached_property
    def target_names(self) -> frozenset[str]:
        """The names of `target_modules`, for looking them up."""
        return frozenset(_as_names(self.target_modules))

    @cached_property
    def excluded_names(self) -> frozenset[str]:
        """The names of `exclude_modules`, for looking them up."""
        return frozenset(_as_names(self.exclude_modules))

    @cached_property
    def rank_table(self) -> PatternTable[int]:
        """`rank_pattern`, for looking modules up."""
        return PatternTable(self.rank_pattern)

    @cached_property
    def alpha_table(self) -> PatternTable[float]:
        """`alpha_pattern`, for looking modules up."""
        return PatternTable(self.alpha_pattern)

    @cached_property
    def expressions(self) -> tuple[Program, ...]:
        """Every pattern that is run as an expression, as it is run.

        Raises:
            Unreadable: one of them cannot be read, or PEFT could not run it.
        """
        whole = [p for p in (self.target_modules, self.exclude_modules) if isinstance(p, str) and p]
        layers = _as_names(self.layers_pattern)
        for pattern in (*whole, *layers):
            read_pattern(pattern)
        return (
            *self.rank_table.programs,
            *self.alpha_table.programs,
            *(read_pattern(pattern) for pattern in whole),
            *(read_pattern(_layer_expression(pattern)) for pattern in layers),
        )

    def cost_problem(self, names: Iterable[str], limits: Limits = DEFAULT_LIMITS) -> Problem | None:
        """Whether matching these module names could take for ever; judged without matching."""
        expressions = self.expressions
        if not expressions:
            return None
        total = 0
        known: list[dict[str, int]] = [{} for _ in expressions]
        for name in names:
            for program, steps_of in zip(expressions, known, strict=True):
                shape = name.translate(program.letters)
                try:
                    if shape not in steps_of:
                        steps_of[shape] = worst_steps(program, shape, limits.pattern_steps)
                except Unreadable as err:
                    return _unsafe(str(err))
                steps = steps_of[shape]
                total += steps + _STEPS_OF_ONE_CALL
                if steps > limits.pattern_steps or total > limits.steps:
                    return _unsafe(
                        f"matching '{shown(name)}' may take more than {limits.pattern_steps} "
                        f"steps, or all names together more than {limits.steps}"
                    )
        return None

    @property
    def _layers(self) -> tuple[int, ...]:
        chosen = self.layers_to_transform
        return (chosen,) if isinstance(chosen, int) else chosen

    def _in_layers(self, module: str) -> bool:
        layers = self._layers
        if not layers:
            return True
        patterns = [_layer_expression(p) for p in _as_names(self.layers_pattern)]
        for pattern in patterns or [r".*?\.[^.]*\.(\d+)\."]:
            if match := re.match(pattern, module):
                return int(match[match.re.groups]) in layers
        return False


def parse_config(raw: bytes) -> tuple[PeftConfig | None, tuple[Problem, ...]]:
    """Read and judge the bytes of an `adapter_config.json`.

    Returns:
        The config, or None where it cannot be read at all, and every problem found.
    """
    try:
        document = parse_object(raw)
    except ValueError as err:
        return None, (bad_config(f"no JSON object without duplicate keys: {err}"),)
    config, faults = _read(document)
    return config, (*judge_keys(document), *faults)


def _read(document: Mapping[str, object]) -> tuple[PeftConfig | None, list[Problem]]:
    given = {k: _frozen(v) for k, v in document.items() if _is_given(k, v)}
    try:
        config = PeftConfig.model_validate(given)
    except ValidationError as err:
        return None, [_fault(detail) for detail in err.errors()]
    faults = [*_judge_layers(config, document), *_judge_patterns(config)]
    return (None if faults else config), faults


def _is_given(key: str, value: object) -> bool:
    if key in {"rank_pattern", "alpha_pattern"}:
        return True  # PEFT reads null as null here, and fails on it
    return key in READ and value is not None


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _fault(detail: "ErrorDetails") -> Problem:
    place = shown(".".join(str(part) for part in detail["loc"]))
    seen = detail["input"]
    text = shown(repr(seen)) if isinstance(seen, str | float | bool) else f"a {type(seen).__name__}"
    if isinstance(seen, int) and not isinstance(seen, bool) and abs(seen) < 1 << 63:
        text = str(seen)
    return bad_config(f"{place} is {text}: {detail['msg']}")


def _judge_layers(config: PeftConfig, document: Mapping[str, object]) -> list[Problem]:
    """Combinations that PEFT refuses when it reads the file."""
    layers, pattern = document.get("layers_to_transform"), document.get("layers_pattern")
    if isinstance(config.target_modules, str) and not (layers is None and pattern is None):
        text = "layers_to_transform and layers_pattern beside a target_modules that is one pattern"
        return [bad_config(f"{text}: expected null")]
    if pattern and layers is None:
        return [bad_config("layers_pattern without layers_to_transform: expected both or none")]
    return []


def _judge_patterns(config: PeftConfig) -> list[Problem]:
    """Patterns come from strangers and meet every module: what we cannot read may not run."""
    count = len(config.rank_pattern) + len(config.alpha_pattern)
    count += len(_as_names(config.layers_pattern))
    if count > _MAX_PATTERNS:
        return [_unsafe(f"the config holds {count}: at most {_MAX_PATTERNS}")]
    try:
        _ = config.expressions
    except Unreadable as err:
        return [_unsafe(str(err))]
    return []


def _unsafe(why: str) -> Problem:
    return Problem(
        "unsafe_pattern",
        f"a pattern of adapter_config.json is none that is known to be cheap: {why}",
        "spell out the module names",
    )


def _layer_expression(pattern: str) -> str:
    return rf"(?:^|.*?\.){pattern}\.(\d+)\."


def _named(names: str | _Names, found: frozenset[str], module: str) -> bool:
    if isinstance(names, str):
        return bool(names) and re.fullmatch(names, module) is not None
    if module in found:
        return True
    place = module.find(".")
    while place >= 0:
        if module[place + 1 :] in found:
            return True
        place = module.find(".", place + 1)
    return False


def _as_names(names: str | _Names) -> _Names:
    return names if isinstance(names, tuple) else (names,) if names else ()


def scale_fault(scale: float) -> str | None:
    """Why a scale cannot be what was meant: PEFT multiplies in the precision of the tensors."""
    return None if abs(scale) <= _MAX_FLOAT32 else f"{scale} is beyond float32"


def is_zero_scale(scale: float) -> bool:
    """Whether a scale is 0 to PEFT and vLLM: below float32's smallest normal number."""
    return abs(scale) < _MIN_FLOAT32
