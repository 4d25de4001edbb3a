"""`make exam NAME=gate`: every kind of spoiled adapter, 20 000 fuzzed ones, and the dearest ones.

The criterion, written before the run: at least 60 kinds, each refused with exactly its codes and
nothing outside its folder opened; no fuzzed case raises, or is taken and means something else to
safetensors or peft; no single fuzzed check takes more than a second; a folder made to cost as much
as the limits allow takes at most ten seconds and 512 MiB.

The kinds, the fuzzer and its oracle are the tests' own (`tests/adapters/gate/`); peft stays out
of the product. Owns the counting and the bars. Run from the repository.
"""

import importlib
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from ...adapters.gate.policy import GatePolicy
from ..bench.rows import Row
from .report import ROOT, write_exam

CASES = 20_000
MIN_KINDS = 60
BAR_FUZZ_S = 1.0
BAR_BOMB_S, BAR_BOMB_BYTES = 10.0, 512 << 20
_SHOWN = 20


def main(cases: int = CASES, folder: Path | None = None) -> int:
    """Run everything and write `results/exams/gate.json`; 1 where a bar does not hold."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    faults: list[str] = []
    rows = [*kind_rows(faults), *fuzz_rows(cases, faults), *bomb_rows(faults)]
    place = {} if folder is None else {"folder": folder}
    path = write_exam("gate", rows, faults=faults[:_SHOWN], **place)
    for row in rows:
        print(f"{'ok  ' if row.holds and row.equal else 'MISS'} {row.figure}: {row.value:g}")
    print("\n".join([*faults[:_SHOWN], str(path)]))
    return 0 if all(row.holds and row.equal for row in rows) else 1


def kind_rows(faults: list[str]) -> list[Row]:
    """Every kind, each from a sound adapter, watched while it is checked."""
    kinds, healthy, opens = (_tests(name) for name in ("spoiled", "healthy", "opens"))
    right = strays = 0
    codes: set[str] = set()
    with tempfile.TemporaryDirectory() as scratch:
        GatePolicy().check(healthy.write_healthy(Path(scratch) / "warm"), healthy.BASE)
        for number, (name, kind) in enumerate(kinds.KINDS.items()):
            adapter = healthy.write_healthy(Path(scratch) / str(number) / "adapter")
            kind.spoil(adapter)
            check = _Check(kind, adapter)
            problems, outside = opens.opened_by(adapter, check)
            found = {problem.code for problem in problems}
            right += found == kind.codes
            strays += len(outside)
            codes |= kind.codes
            if found != kind.codes or outside:
                faults.append(f"{name}: {sorted(found)} for {sorted(kind.codes)}, {outside}")
    count = len(kinds.KINDS)
    return [
        _row("kinds of spoiled adapter", count, ">=", MIN_KINDS, count, {"codes": sorted(codes)}),
        _row("refused with exactly the right codes (share)", right / count, ">=", 1.0, count),
        _row("files opened outside the folder", strays, "<=", 0, count),
    ]


class _Check:
    """One check as a call without arguments."""

    def __init__(self, kind: Any, folder: Path) -> None:
        self._kind, self._folder = kind, folder

    def __call__(self) -> Any:
        return self._kind.policy.check(self._folder, self._kind.base)


def fuzz_rows(cases: int, faults: list[str]) -> list[Row]:
    """Mutated configs and headers from consecutive seeds."""
    fuzzing = _tests("fuzzing")
    seen: Counter[str] = Counter()
    bad = 0
    slowest = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(cases):
            verdict = fuzzing.judge(Path(scratch), seed)
            seen["taken" if verdict.taken else "refused"] += 1
            slowest = max(slowest, verdict.seconds)
            if verdict.faults:
                bad += 1
                faults.append(f"seed {seed}: {verdict.faults}")
    about = {"taken": seen["taken"], "refused": seen["refused"]}
    return [
        _row("fuzzed cases that raise or mean something else", bad, "<=", 0, cases, about),
        _row("slowest fuzzed check (s)", slowest, "<=", BAR_FUZZ_S, cases),
    ]


def bomb_rows(faults: list[str]) -> list[Row]:
    """Each in a process of its own, since memory once taken is not given back."""
    bombs = _tests("bombs").BOMBS
    costs = {}
    for name, (_, codes) in bombs.items():
        command = [sys.executable, "-m", "tests.adapters.gate.bombs", name]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        costs[name] = json.loads(done.stdout)
        if set(costs[name]["codes"]) != codes:
            faults.append(f"{name}: {costs[name]['codes']} for {sorted(codes)}")
    right = sum(set(costs[name]["codes"]) == codes for name, (_, codes) in bombs.items())
    slowest = max(cost["s"] for cost in costs.values())
    largest = max(cost["bytes"] for cost in costs.values())
    return [
        _row("dearest folders refused with the right codes", right, ">=", len(bombs), len(bombs)),
        _row("dearest folder (s)", slowest, "<=", BAR_BOMB_S, len(bombs), costs),
        _row("dearest folder (bytes of memory)", largest, "<=", BAR_BOMB_BYTES, len(bombs)),
    ]


def _row(
    figure: str, value: float, op: Any, bar: float, n: int, ours: dict[str, Any] | None = None
) -> Row:
    return Row(figure=figure, value=value, op=op, bar=bar, n=n, ours=ours)


def _tests(name: str) -> Any:
    return importlib.import_module(f"tests.adapters.gate.{name}")
