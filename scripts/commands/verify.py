"""The verb `verify`: hold an adapter against the gate. Thin: one call, and two ways to print it."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from ...adapters import check_adapter, identify_base
from ...distill.tiny_base import tiny_base_path


def verify(
    peft_dir: Annotated[Path, typer.Argument(help="A PEFT folder or an artifact.")],
    base: Annotated[
        Path | None, typer.Option("--base", help="Folder of the base; default: the shipped one.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Hold an adapter against the gate; exit code 1 when it would be refused."""
    problems = check_adapter(peft_dir, identify_base(base or tiny_base_path()))
    if json:
        rows = [{"code": p.code, "message": p.message, "remedy": p.remedy} for p in problems]
        print(json_module.dumps(rows, indent=1))
    else:
        for problem in problems:
            print(f"{problem.code}: {problem.message}\n    {problem.remedy}")
        print(f"{peft_dir}: {f'{len(problems)} problem(s)' if problems else 'fits the base'}")
    return 1 if problems else 0
