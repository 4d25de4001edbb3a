"""`skillweave keys create|list|show|rotate|revoke`: who may ask a server.

A running server follows the file within a second. Thin: options and printing; the work is in
`server/gateway/access/`. Every change is written to the audit log of the store.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ...adapters.settings import default_store_root
from ...server.access_settings import KEYS_FILE, access_folder
from ...server.gateway.access.key_file import KeyFile
from ...server.gateway.access.keys import Budget, KeyLimits, Wish
from ...server.gateway.access.who import audit_of_store, user_of_this_process
from .json_out import print_json
from .options import Json, StoreDir

KeysFile = Annotated[
    Path | None, typer.Option("--keys", help="The file; default: access/keys.jsonl in the store.")
]
Name = Annotated[str, typer.Argument(help="Name or id of a key.")]

keys = typer.Typer(add_completion=False, no_args_is_help=True, help="Who may ask a server.")


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="Who gets it; one valid key has a name at a time.")],
    team: Annotated[
        str | None, typer.Option(help="Keys of a team share caches and are summed up together.")
    ] = None,
    adapters: Annotated[
        list[str] | None,
        typer.Option(help="Pattern of model names: 'team/sql-*', 'base', 'auto'; repeat it [*]."),
    ] = None,
    days: Annotated[float | None, typer.Option(help="Valid for so long [for ever].")] = None,
    day_tokens: Annotated[int | None, typer.Option(min=0, help="Most tokens in a day.")] = None,
    total_tokens: Annotated[int | None, typer.Option(min=0, help="Most tokens in all.")] = None,
    max_n: Annotated[int | None, typer.Option(min=1, help="Most answers to a prompt.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Longest answer.")] = None,
    admin: Annotated[
        bool, typer.Option("--admin", help="It may use the admin routes; nothing else, by default.")
    ] = False,
    keys: KeysFile = None,
    store: StoreDir = None,
    json: Json = False,
) -> None:
    """Make a key and print its token; only a hash of it is kept, so it is shown this once."""
    wish = Wish(
        name=name,
        team=team,
        globs=tuple(adapters) if adapters else None,
        admin=admin,
        days=days,
        budget=Budget(day_tokens=day_tokens, total_tokens=total_tokens),
        limits=KeyLimits(n=max_n, max_tokens=max_tokens),
    )
    made = _file(keys, store).create(wish)
    _record("key-create", made.key.id, made.key.name, store)
    _print_token(made.token, made.key.public(_now()), json=json)


@keys.command("list")
def list_keys(keys: KeysFile = None, store: StoreDir = None, json: Json = False) -> None:
    """List keys, without anything secret."""
    found = [key.public(_now()) for key in _file(keys, store).all()]
    if json:
        print_json(found)
        return
    table = Table("key", "id", "team", "reaches", "tokens", "expires", "state")
    for row in found:
        table.add_row(*_cells(row))
    Console().print(table if found else "no keys yet: skillweave keys create NAME")


@keys.command()
def show(name: Name, keys: KeysFile = None, store: StoreDir = None) -> None:
    """Print one key as JSON, without anything secret."""
    print_json(_file(keys, store).find(name).public(_now()))


@keys.command()
def rotate(
    name: Name,
    grace_hours: Annotated[
        float, typer.Option(help="For so long the old token is accepted, too.")
    ] = 0.0,
    keys: KeysFile = None,
    store: StoreDir = None,
    json: Json = False,
) -> None:
    """Give a key a new token and print it; its id, usage and budgets stay."""
    made = _file(keys, store).rotate(name, grace_hours=grace_hours)
    _record("key-rotate", made.key.id, made.key.name, store)
    _print_token(made.token, made.key.public(_now()), json=json)


@keys.command()
def revoke(name: Name, keys: KeysFile = None, store: StoreDir = None) -> None:
    """End a key; running servers refuse it within a second."""
    ended = _file(keys, store).revoke(name)
    _record("key-revoke", ended.id, ended.name, store)
    print(f"revoked {ended.name} ({ended.id})")


def _file(keys: Path | None, store: Path | None) -> KeyFile:
    return KeyFile(keys or access_folder(store or default_store_root()) / KEYS_FILE)


def _record(action: str, key_id: str, name: str, store: Path | None) -> None:
    audit = audit_of_store(store or default_store_root())
    audit.record(action, who=user_of_this_process(), key=key_id, name=name)


def _print_token(token: str, about: dict[str, object], *, json: bool) -> None:
    if json:
        print_json({"token": token, **about})
    else:
        print(token)


def _cells(row: dict[str, object]) -> list[str]:
    budget, globs = row["budget"], row["globs"]
    assert isinstance(budget, dict)
    assert isinstance(globs, list)
    day, total = budget["day_tokens"], budget["total_tokens"]
    bounds = [f"{n} {per}" for n, per in ((day, "a day"), (total, "in all")) if n is not None]
    reach = [*globs, *(["admin routes"] if row["admin"] else [])]
    return [
        str(row["name"]),
        str(row["id"]),
        str(row["team"] or ""),
        ", ".join(map(str, reach)),
        ", ".join(bounds),
        str(row["expires_at"] or "")[:16],
        str(row["state"]),
    ]


def _now() -> datetime:
    return datetime.now(UTC)
