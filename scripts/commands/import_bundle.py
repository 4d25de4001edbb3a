"""The verb import: the versions of a bundle into the store. Thin: the work is in `adapters`."""

from pathlib import Path
from typing import Annotated

import typer

from ...adapters import Store, UsageError, default_store_root, identify_base
from .export import check_base_folder
from .json_out import print_json
from .options import AcceptBase, Json, StoreDir


def import_bundle(
    file: Annotated[Path, typer.Argument(help="A bundle that `export --bundle` wrote.")],
    base: Annotated[
        Path | None, typer.Option("--base", help="Folder of the base to check against.")
    ] = None,
    accept_base: AcceptBase = False,
    trust_evidence: Annotated[
        bool, typer.Option("--trust-evidence", help="Believe the bundle's evidence, as your own.")
    ] = False,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Take the versions of a bundle into the store, through the gate."""
    if not file.is_file():
        raise UsageError(
            f"{file}: there is no such file: give a bundle, as `skillweave export NAME --bundle "
            "FILE` writes it"
        )
    check_base_folder(base)
    identity = None if base is None else identify_base(base)
    versions = Store(store or default_store_root()).import_bundle(
        file, base=identity, accept_base=accept_base, trust_evidence=trust_evidence
    )
    if json:
        rows = [{"ref": v.ref, "version_digest": v.version_digest} for v in versions]
        print_json(rows)
    else:
        for version in versions:
            print(f"{version.ref}  {version.version_digest}")
    return 0
