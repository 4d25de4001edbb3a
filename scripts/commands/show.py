"""The verb `show`: one version of the store."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ...adapters import Store, default_store_root
from ...adapters.card import card_document

StoreDir = Annotated[
    Path | None, typer.Option("--store", help="Store; default: $SKILLWEAVE_HOME/store.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def show(
    ref: Annotated[str, typer.Argument(help="name, name@2, name@alias or name@latest.")],
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Show one version: its card and the evidence attested for it."""
    found = Store(store or default_store_root())
    version = found.resolve(ref)
    document = {
        "ref": version.ref,
        "version_digest": version.version_digest,
        "weights_digest": version.weights_digest,
        "path": str(version.path),
        "card": card_document(version.card),
        "attestations": found.attestations(version.version_digest),
    }
    if json:
        print(json_module.dumps(document, indent=1))
    else:
        Console().print_json(json_module.dumps(document))
    return 0
