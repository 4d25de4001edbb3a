"""Folders made to cost as much as a folder can: each up to the very limits of the gate.

Self-contained: the exam of the gate runs each in a process of its own (`python -m
tests.adapters.bombs NAME`) and reads what it cost. To add one: a function and its line in `BOMBS`.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from skillweave.adapters.gate.policy import GatePolicy
from skillweave.adapters.limits import DEFAULT_LIMITS
from skillweave.adapters.peft_folder.findings import PREFIX
from skillweave.adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE

from .healthy import BASE, CONFIG, Tensor, file_of, pack, write_healthy


@dataclass(frozen=True)
class Cost:
    """What one bomb did: codes given, wall time, growth of the resident memory."""

    codes: tuple[str, ...]
    seconds: float
    grown_bytes: int


def _many_tensors(folder: Path) -> None:
    """As many tensors as a header can name."""
    count = DEFAULT_LIMITS.header_bytes // 56
    entries = (f'"{n}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}' for n in range(count))
    raw = ("{" + ",".join(entries))[: DEFAULT_LIMITS.header_bytes - 2]
    raw = raw[: raw.rindex('},"') + 1] + "}"
    (folder / WEIGHTS_FILE).write_bytes(file_of(raw.encode(), b""))


def _many_objects(folder: Path) -> None:
    """A header that is nothing but small objects."""
    inner = "{}," * (DEFAULT_LIMITS.header_bytes // 3 - 10)
    (folder / WEIGHTS_FILE).write_bytes(file_of(f'{{"a":[{inner}0]}}'.encode(), b""))


def _many_modules(folder: Path, names: list[str] | None = None) -> None:
    """As many modules as are allowed, with the longest names that are."""
    chosen = names or [f"{n:05d}.{'m' * 180}.q_proj" for n in range(DEFAULT_LIMITS.modules)]
    one = ("F32", [4, 1], bytes(16)), ("F32", [1, 4], bytes(16))
    tensors: dict[str, Tensor] = {}
    for name in chosen:
        for side, tensor in zip("AB", one, strict=True):
            tensors[f"{PREFIX}{name}.lora_{side}.weight"] = tensor
    header, _ = pack({name: (dtype, shape, b"") for name, (dtype, shape, _) in tensors.items()})
    for place, name in enumerate(tensors):
        header[name]["data_offsets"] = [16 * place, 16 * place + 16]
    (folder / WEIGHTS_FILE).write_bytes(file_of(header, bytes(16 * len(tensors))))


def _config(folder: Path, **change: object) -> None:
    (folder / CONFIG_FILE).write_text(json.dumps({**CONFIG, **change}))


def _many_expressions(folder: Path) -> None:
    """As many cheap expressions as are allowed, against as many modules."""
    _many_modules(folder, [f"model.layers.{n}.q_proj" for n in range(DEFAULT_LIMITS.modules)])
    _config(folder, rank_pattern={f"layers.[{n % 10}]+.x{n}": 4 for n in range(2048)})


def _many_literals(folder: Path) -> None:
    """As many plain names, each with its own dots, against the longest names."""
    _many_modules(folder, ["a." * 100 + str(n) for n in range(DEFAULT_LIMITS.modules)])
    _config(
        folder, rank_pattern={".".join(["a" * (n % 40 + 1)] * 8) + str(n): 4 for n in range(2048)}
    )


def _dear_expression(folder: Path) -> None:
    """One expression that just stays below the bound for every name."""
    _many_modules(folder)
    _config(folder, target_modules=".*m.*_proj")


def _nothing_but_nan(folder: Path) -> None:
    """A quarter of a GiB, every value of it odd."""
    size = 256 << 20
    header = {
        f"{PREFIX}m.lora_A.weight": {
            "dtype": "F32",
            "shape": [4, size // 16],
            "data_offsets": [0, size],
        }
    }
    text = json.dumps(header).encode()
    with (folder / WEIGHTS_FILE).open("wb") as file:
        file.write(file_of(text, b""))
        for _ in range(256):
            file.write(np.full(1 << 18, np.nan, "<f4").tobytes())


def _deep_config(folder: Path) -> None:
    """Brackets up to the size limit."""
    half = DEFAULT_LIMITS.config_bytes // 2 - 8
    (folder / CONFIG_FILE).write_bytes(b'{"a":' + b"[" * half + b"]" * half + b"}")


def _many_files(folder: Path) -> None:
    """More entries than are looked at."""
    for number in range(3_000):
        (folder / f"{number}").mkdir()


BOMBS: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "many tensors": (_many_tensors, {"unknown_tensor"}),
    "many objects": (_many_objects, {"bad_header"}),
    "many modules": (_many_modules, {"unknown_module"}),
    "many expressions": (_many_expressions, {"unsafe_pattern", "unknown_module"}),
    "many plain patterns": (_many_literals, {"unknown_module", "untargeted"}),
    "a dear expression": (_dear_expression, {"unknown_module", "unsafe_pattern"}),
    "nothing but NaN": (_nothing_but_nan, {"not_finite", "unpaired"}),
    "a deep config": (_deep_config, {"bad_config"}),
    "many folders": (_many_files, {"too_many_files"}),
}


def go_off(name: str, folder: Path) -> Cost:
    """Make one bomb in a new folder, hold it against the gate, and say what that cost."""
    write_healthy(folder)
    GatePolicy().check(folder, BASE)  # what is imported on first use costs nobody here
    BOMBS[name][0](folder)
    before = _peak_bytes()
    start = time.perf_counter()
    problems = GatePolicy().check(folder, BASE)
    seconds = time.perf_counter() - start
    grown = _peak_bytes() - before
    return Cost(tuple(sorted({p.code for p in problems})), seconds, grown)


def _peak_bytes() -> int:
    """Of this process alone: what getrusage says is inherited from the parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024


def main(name: str) -> None:
    """Print the cost of one bomb as JSON."""
    with tempfile.TemporaryDirectory() as scratch:
        cost = go_off(name, Path(scratch) / "adapter")
    print(json.dumps({"codes": cost.codes, "s": cost.seconds, "bytes": cost.grown_bytes}))


if __name__ == "__main__":
    main(sys.argv[1])
