"""The verb `bench`: run one bench and print its rows; exit code 1 where a bar or a check fails."""

import json as json_module
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ..bench import load
from ..bench.rows import Row
from .options import Json


def bench(
    name: Annotated[str, typer.Argument(help="Which bench.")],
    json: Json = False,
) -> int:
    """Measure ours against theirs on this machine."""
    rows = load(name)()
    if json:
        document = {"bench": name, "rows": [row.document() for row in rows]}
        print(json_module.dumps(document, indent=1, allow_nan=False))
    else:
        Console().print(_table(rows))
    return 0 if all(row.holds and row.equal for row in rows) else 1


def _table(rows: list[Row]) -> Table:
    table = Table("figure", "value", "bar", "holds", "equal", "n")
    for row in rows:
        bar = "" if row.op is None else f"{row.op} {row.bar:g}"
        table.add_row(
            row.figure,
            f"{row.value:.4g}",
            bar,
            "yes" if row.holds else "NO",
            "yes" if row.equal else "NO",
            str(row.n),
        )
    return table
