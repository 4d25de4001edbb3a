"""`skillweave usage`: the tokens that were asked and answered, by team, adapter, key or day.

Reads what servers on a store have written, at most a second old. Thin: options and printing; the
sums are in `server/gateway/access/usage_file.py`.
"""

import csv
import sys
from datetime import date
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ...adapters.errors import UsageError
from ...adapters.settings import default_store_root
from ...server.access_settings import USAGE_FILE, access_folder
from ...server.gateway.access.usage_file import UsageFile
from .json_out import print_json
from .options import Json, StoreDir


def usage(
    by: Annotated[
        str, typer.Option(help="What to sum by: some of day,key,team,adapter.")
    ] = "team,adapter",
    since: Annotated[
        str | None, typer.Option(help="First day (UTC) to count, such as 2026-01-31.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    json: Json = False,
    store: StoreDir = None,
) -> None:
    """Show how many tokens were used, by whom, on which adapter."""
    columns = [name.strip() for name in by.split(",")]
    file = UsageFile(access_folder(store or default_store_root()) / USAGE_FILE)
    rows = file.table(columns, since=_day(since))
    if json:
        print_json(rows)
    elif as_csv:
        heads = [*columns, "requests", "prompt_tokens", "completion_tokens", "tokens"]
        writer = csv.DictWriter(sys.stdout, heads, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        _print(rows)


def _day(text: str | None) -> str | None:
    try:
        return date.fromisoformat(text).isoformat() if text is not None else None
    except ValueError as err:
        raise UsageError(f"--since {text!r}: expected a day such as 2026-01-31") from err


def _print(rows: list[dict[str, object]]) -> None:
    if not rows:
        print("nothing was used yet")
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)
