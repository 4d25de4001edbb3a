"""`skillweave status [URL]`: how a running server is.

Without the admin key it says whether requests are answered; with it, what runs and what is loaded.
Thin: options and printing; the questions are in `server/look.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.table import Table

from ...server.look import Look, look
from ...server.settings import admin_key_from_environment, server_url_from_environment
from .json_out import print_json
from .options import Json

LOCAL = "http://127.0.0.1:8000"
Rows = list[Mapping[str, object]]


def status(
    url: Annotated[
        str | None, typer.Argument(help="The server; default: SKILLWEAVE_URL, else port 8000 here.")
    ] = None,
    admin_key: Annotated[
        str | None, typer.Option(help="The admin key; or SKILLWEAVE_ADMIN_KEY.")
    ] = None,
    json: Json = False,
) -> int:
    """Show whether a running server is ready, and with the admin key what is in it.

    Exit code 1 where it is not ready.
    """
    where = url or server_url_from_environment() or LOCAL
    found = look(where, admin_key=admin_key or admin_key_from_environment())
    if json:
        document = {"url": found.url, "ready": found.ready, "problem": found.problem}
        print_json({**document, "state": found.state})
    else:
        for part in told(found):
            Console().print(part)
    return 0 if found.ready else 1


def told(found: Look) -> Iterator[str | Table]:
    """The page for people."""
    yield f"{found.url}: {'ready' if found.ready else 'not ready: ' + found.problem}"
    state = found.state
    if state is None:
        yield "with the admin key (SKILLWEAVE_ADMIN_KEY): engines and what is loaded"
        return
    yield f"base {state.get('base')}, rank up to {state.get('max_lora_rank') or 'unknown'}"
    yield _table("engine", _rows(state, "engines"), ("url", "pid", "ready", "restarts"))
    loaded = _rows(state, "loaded")
    if loaded:
        yield _table("loaded", loaded, ("ref", "in_use", "retired"))
    else:
        yield "no adapter is loaded yet: one is when it is first asked for"


def _rows(state: Mapping[str, object], key: str) -> Rows:
    return cast("Rows", state.get(key) or [])


def _table(title: str, rows: Rows, columns: tuple[str, ...]) -> Table:
    table = Table(title, *columns, box=None, padding=(0, 2, 0, 0))
    for number, row in enumerate(rows):
        table.add_row(str(number), *(_cell(row.get(column)) for column in columns))
    return table


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
