"""How an adapter is spoiled: a kind, and what the tables of kinds share. Tables: `spoiled_*.py`.

Self-contained, as they are: the exam of the gate loads them from outside pytest.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.gate.policy import GatePolicy
from skillweave.adapters.limits import Limits
from skillweave.adapters.peft_folder.findings import PREFIX
from skillweave.adapters.peft_folder.header import CONFIG_FILE

from .healthy import BASE, CONFIG

Q0 = f"{PREFIX}model.layers.0.self_attn.q_proj"
A0, B0 = f"{Q0}.lora_A.weight", f"{Q0}.lora_B.weight"
UNKNOWN, SHAPE = "unknown_module", "wrong_shape"


@dataclass(frozen=True)
class Kind:
    """One way to spoil an adapter."""

    codes: frozenset[str]
    spoil: Callable[[Path], object]
    policy: GatePolicy = field(default_factory=GatePolicy)
    base: BaseIdentity | None = BASE


def kind(code: str, spoil: Callable[[Path], object], **more: Any) -> Kind:
    """A kind that is refused with these codes, separated by spaces."""
    return Kind(frozenset(code.split()), spoil, **more)


def config(code: str, **change: object) -> Kind:
    """One with other values in its config."""
    text = json.dumps({**CONFIG, **change})
    return kind(code, lambda folder: (folder / CONFIG_FILE).write_text(text))


def limit(code: str, **limits: int) -> Kind:
    """A sound one, where less is allowed."""
    return kind(code, lambda folder: None, policy=GatePolicy(limits=Limits(**limits)))


def add(name: str, data: bytes = b"x") -> Callable[[Path], object]:
    """Put one more file into it."""
    return lambda folder: (folder / name).write_bytes(data)
