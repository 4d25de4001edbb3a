"""`skillweave audit show|verify`: what was changed on a store and its servers, and by whom.

Thin: options and printing; the log is in `server/gateway/access/audit.py`.
"""

from typing import Annotated

import typer

from ...adapters.settings import default_store_root
from ...server.access_settings import AUDIT_FILE, access_folder
from ...server.gateway.access.audit import verify as verify_log
from ...server.gateway.access.who import audit_of_store
from .json_out import print_json
from .options import Json, StoreDir

audit = typer.Typer(add_completion=False, no_args_is_help=True, help="What was changed, by whom.")


@audit.command()
def show(
    last: Annotated[int, typer.Option(min=1, max=100_000, help="How many entries.")] = 20,
    store: StoreDir = None,
    json: Json = False,
) -> None:
    """Show the newest entries, the oldest of them first."""
    entries = audit_of_store(store or default_store_root()).last(last)
    if json:
        print_json(entries)
        return
    for entry in entries:
        facts = entry.get("facts")
        told = " ".join(f"{k}={v}" for k, v in (facts if isinstance(facts, dict) else {}).items())
        print(entry.get("at"), entry.get("who"), entry.get("action"), entry.get("result"), told)


@audit.command()
def verify(
    head: Annotated[
        str | None, typer.Option(help="A hash noted earlier; it must still be in the log.")
    ] = None,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Check that no line of the log was changed or taken out; 1 where one was."""
    path = access_folder(store or default_store_root()) / AUDIT_FILE
    seen = verify_log(path, head=head)
    if json:
        print_json({"entries": seen.entries, "head": seen.head, "problems": list(seen.problems)})
    else:
        for problem in seen.problems:
            print(problem)
        print(f"{seen.entries} entries, head {seen.head}")
    return 1 if seen.problems else 0
