"""The verb `verify`: hold an adapter against the gate.

Thin: one call of the gate, one report for people and one document for programs.
"""

import json as json_module
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from ...adapters import (
    BaseIdentity,
    GatePolicy,
    Problem,
    SkillweaveError,
    Store,
    default_store_root,
    identify_base,
)
from ...adapters.gate.codes import AREA_OF, AREAS
from ...adapters.peft_folder.header import AdapterHeader, read_header_of
from ...distill.tiny_base import tiny_base_path
from .options import BaseDir, Json, StoreDir


def verify(
    adapter: Annotated[
        Path, typer.Argument(metavar="PATH", help="A PEFT folder, an artifact, or a stored NAME.")
    ],
    base: BaseDir = None,
    header_only: Annotated[
        bool, typer.Option("--header-only", help="Read config and header, no values.")
    ] = False,
    accept_base: Annotated[
        bool, typer.Option("--accept-base", help="Take another family or precision.")
    ] = False,
    max_rank: Annotated[
        int | None, typer.Option("--max-lora-rank", help="Rank cap of the engine to serve it.")
    ] = None,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Hold an adapter against the gate; exit code 1 when it would be refused."""
    folder = _folder(adapter, store)
    identity = identify_base(base or tiny_base_path())
    policy = GatePolicy(
        accept_base=accept_base, values="header" if header_only else "scan", max_rank=max_rank
    )
    start = time.perf_counter()
    problems = policy.check(folder, identity)
    wall_s = time.perf_counter() - start
    header = None if problems else read_header_of(folder)
    if json:
        print(json_module.dumps(_document(folder, identity, policy, problems, header, wall_s)))
    else:
        _print(folder, identity, policy, problems, header)
    return 1 if problems else 0


def _folder(adapter: Path, store: Path | None) -> Path:
    """A folder as it is; any other word may be the name of a stored version."""
    if adapter.exists():
        return adapter
    try:
        return Store(store or default_store_root()).resolve(str(adapter)).path
    except SkillweaveError:
        return adapter  # the gate says that there is no such folder


def _document(
    folder: Path,
    base: BaseIdentity,
    policy: GatePolicy,
    problems: Sequence[Problem],
    header: AdapterHeader | None,
    wall_s: float,
) -> dict[str, object]:
    return {
        "path": str(folder),
        "fits": not problems,
        "values": policy.values,
        "base": {"family_digest": base.family_digest, "precision": base.precision},
        "problems": [
            {"code": p.code, "area": AREA_OF[p.code], "message": p.message, "remedy": p.remedy}
            for p in problems
        ],
        "adapter": None if header is None else _facts(header),
        "wall_s": wall_s,
    }


def _facts(header: AdapterHeader) -> dict[str, object]:
    modules = header.modules
    return {
        "modules": len(modules),
        "kinds": sorted({name.rpartition(".")[2] for name in modules}),
        "ranks": _counts(module.rank for module in modules.values()),
        "dtypes": _counts(module.down.dtype for module in modules.values()),
        "scales": _counts(header.config.scale_of(name) for name in modules),
        "rank_an_engine_needs": header.rank,
    }


def _counts(values: Iterable[object]) -> dict[str, int]:
    return dict(Counter(str(value) for value in values).most_common())


def _print(
    folder: Path,
    base: BaseIdentity,
    policy: GatePolicy,
    problems: Sequence[Problem],
    header: AdapterHeader | None,
) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for area in AREAS:
        mine = [p for p in problems if AREA_OF[p.code] == area]
        if mine:
            console.print(Text(area, style="bold"))
        for problem in mine:
            console.print(Text.assemble("  ", (problem.code, "red"), ": ", problem.message))
            console.print(Text.assemble("    remedy: ", problem.remedy))
    if problems:
        console.print(Text(f"{folder}: {len(problems)} problem(s)", style="red"))
        return
    console.print(Text(f"{folder}: fits the base {base.family_digest[:12]}", style="green"))
    for key, value in ({} if header is None else _facts(header)).items():
        console.print(Text(f"  {key.replace('_', ' ')}: {_line(value)}"))
    if policy.values == "header":
        console.print(
            "  values were not read; NaN and infinity are looked for without --header-only"
        )


def _line(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} ({count})" for key, count in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)
