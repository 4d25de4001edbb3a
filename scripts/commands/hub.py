"""`skillweave hub serve` and `hub token create|list|revoke`: our own hub, for inside a network.

Thin: options and printing. The work is in `server/hub/`. `push` and `pull` are in `transfer.py`.
"""

import json as json_module
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ...adapters.limits import GiB, MiB
from ...adapters.settings import load_settings
from ...server.hub.hub import HubOptions
from ...server.hub.limits import HubLimits
from ...server.hub.serve import run_hub
from ...server.hub.tokens import Token, Tokens, make_root
from .options import Json

RootDir = Annotated[
    Path | None, typer.Option("--root", help="Folder of the hub; default: $SKILLWEAVE_HOME/hub.")
]

hub = typer.Typer(add_completion=False, no_args_is_help=True, help="Our own hub.")
token = typer.Typer(no_args_is_help=True, help="Who may use the hub.")
hub.add_typer(token, name="token")


def _root(root: Path | None) -> Path:
    return root or load_settings().home / "hub"


def _print(line: str) -> None:
    print(line, flush=True)  # somebody may be reading a file or a pipe


@hub.command()
def serve(
    root: RootDir = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8200,
    public_read: Annotated[
        bool, typer.Option("--public-read", help="Public repositories need no token.")
    ] = False,
    gate: Annotated[
        bool, typer.Option("--gate/--no-gate", help="Examine adapters when they come in.")
    ] = True,
    url: Annotated[
        str | None, typer.Option(help="How clients reach it, behind a proxy: https://...")
    ] = None,
    max_file_mb: Annotated[int, typer.Option(min=1, help="Largest file, in MiB.")] = 8192,
    quota_gb: Annotated[int, typer.Option(min=1, help="All contents together, in GiB.")] = 200,
) -> int:
    """Serve a folder of repositories that `hf` and `huggingface_hub` accept, until Ctrl-C."""
    limits = HubLimits(file_bytes=max_file_mb * MiB, root_bytes=quota_gb * GiB)
    options = HubOptions(public_read=public_read, gate=gate, url=url, limits=limits)
    return run_hub(_root(root), options=options, say=_print, host=host, port=port)


@token.command()
def create(
    name: Annotated[str, typer.Argument(help="Who gets it; also its own namespace.")],
    write: Annotated[bool, typer.Option("--write", help="It may change things.")] = False,
    namespaces: Annotated[
        list[str] | None,
        typer.Option(help="Pattern of namespaces that it reaches; repeat it. Default: NAME."),
    ] = None,
    days: Annotated[
        float | None, typer.Option(help="Valid for so long; default: for ever.")
    ] = None,
    root: RootDir = None,
) -> None:
    """Make a token and print it; only a hash of it is kept, so it is shown this once."""
    made = Tokens(make_root(_root(root))).create(
        name, write=write, namespaces=namespaces or (), days=days
    )
    print(made.text)


@token.command("list")
def list_tokens(
    root: RootDir = None,
    json: Json = False,
) -> None:
    """List tokens, without their secrets."""
    rows = [_row(found) for found in Tokens(make_root(_root(root))).all()]
    if json:
        print(json_module.dumps(rows, indent=1))
        return
    table = Table("token", "id", "rights", "namespaces", "created", "expires", "state")
    for row in rows:
        table.add_row(*row.values())
    Console().print(table if rows else "no tokens yet: skillweave hub token create NAME --write")


@token.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Its name or id.")], root: RootDir = None
) -> None:
    """End a token at once."""
    ended = Tokens(make_root(_root(root))).revoke(name)
    print(f"revoked {ended.name} ({ended.id})")


def _row(found: Token) -> dict[str, str]:
    state = "valid" if found.valid(datetime.now(UTC)) else "expired"
    return {
        "name": found.name,
        "id": found.id,
        "rights": "write" if found.write else "read",
        "namespaces": ", ".join(found.namespaces),
        "created_at": found.created_at,
        "expires_at": found.expires_at or "",
        "state": "revoked" if found.revoked_at else state,
    }
