"""The verb export: a version as a merged model, or as a bundle. Thin: the work is in `adapters`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ...adapters import (
    NotFound,
    Store,
    UsageError,
    Version,
    default_store_root,
    identify_base,
)
from ...distill.tiny_base import tiny_base_path
from .json_out import print_json
from .options import AcceptBase, BaseDir, Json, Ref, StoreDir
from .told import size


def export(
    ref: Ref,
    merged: Annotated[
        Path | None, typer.Option(help="Base and adapter as one model, in this new folder.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="The version whole, as one file for another store.")
    ] = None,
    keep: Annotated[
        float | None,
        typer.Option(help="With --merged: only this share of the update's elements (a graft)."),
    ] = None,
    base: BaseDir = None,
    accept_base: AcceptBase = False,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Write a version as a merged model, or as a bundle."""
    if (merged is None) == (bundle is None):
        raise UsageError("say either --merged DIR (a model) or --bundle FILE (for another store)")
    check_base_folder(base)
    found = Store(store or default_store_root())
    if bundle is not None:
        if keep is not None:
            raise UsageError("--keep goes with --merged: a bundle holds the version as it is")
        version = _resolved(found, ref, base)
        found.export_bundle([version.ref], bundle, base=version.base)
        told: dict[str, object] = {
            "ref": version.ref,
            "bundle": str(bundle),
            "size_bytes": bundle.stat().st_size,
        }
        line = f"{bundle}: {version.ref}, {size(bundle.stat().st_size)}"
    else:
        told, line = _merge(found, ref, merged or Path(), keep, base, accept_base)
    if json:
        print_json(told)
    else:
        print(line)
    return 0


def check_base_folder(base: Path | None) -> None:
    """Refuse a base that is no folder, with what is asked for.

    Raises:
        UsageError: there is no such folder.
    """
    if base is not None and not base.is_dir():
        raise UsageError(
            f"--base {base}: there is no such folder: give the folder of the base itself, with its "
            "config.json and safetensors"
        )


def _merge(
    store: Store, ref: str, out: Path, keep: float | None, base: Path | None, accept_base: bool
) -> tuple[dict[str, object], str]:
    from ...adapters.merged.versions import merge_version

    version = _resolved(store, ref, base)
    say = Console(stderr=True)
    done = merge_version(
        store,
        version,
        base or tiny_base_path(),
        out,
        keep=keep,
        accept_base=accept_base,
        say=(lambda text: say.print(text, highlight=False)) if say.is_terminal else None,
    )
    told = {
        "ref": version.ref,
        "merged": str(done.path),
        "modules": done.modules,
        "dtypes": list(done.dtypes),
        "rounding": done.rounding,
        "size_bytes": done.size_bytes,
    }
    loss = (
        f"; casting back to {', '.join(done.dtypes)} cost {done.rounding:.2%} of the update"
        if done.rounding
        else ""
    )
    return told, f"{done.path}: base + {version.ref}, {size(done.size_bytes)}{loss}"


def _resolved(store: Store, ref: str, base: Path | None) -> Version:
    """The version; of a name that lives on several bases, the one on the base at hand."""
    try:
        return store.resolve(ref)
    except NotFound:
        if base is None:
            raise
        return store.resolve(ref, base=identify_base(base).family_digest)
