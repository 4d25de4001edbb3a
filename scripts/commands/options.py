"""Options that several verbs share, so that they mean the same and read the same everywhere.

Owns their names, types and help texts. An option with a meaning of its own stays with its verb. To
add one: an annotated type here, once a second verb asks for it.
"""

from pathlib import Path
from typing import Annotated

import typer

StoreDir = Annotated[
    Path | None, typer.Option("--store", help="Store; default: $SKILLWEAVE_HOME/store.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Ref = Annotated[str, typer.Argument(help="name, name@2, name@alias or name@latest.")]
Family = Annotated[
    str | None, typer.Option("--base", help="Family digest, or its first digits, if several.")
]
BaseDir = Annotated[
    Path | None, typer.Option("--base", help="Folder of the base; default: the shipped one.")
]
AcceptBase = Annotated[
    bool, typer.Option("--accept-base", help="Go on although the base's precision differs.")
]
