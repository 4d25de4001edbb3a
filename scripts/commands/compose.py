"""The verbs compose, export and import: adapters out of adapters, models and bundles out of them.

Thin: every verb is one call of `adapters` and a way to tell what came of it.
"""

import json as json_module
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
from .show import Family, Json, Ref, StoreDir
from .told import size

BaseFolder = Annotated[
    Path | None, typer.Option("--base", help="Folder of the base; default: the shipped one.")
]
AcceptBase = Annotated[
    bool, typer.Option("--accept-base", help="Go on although the base's precision differs.")
]


def compose(
    expression: Annotated[
        str, typer.Argument(help="Terms, such as 'a*0.7+b@2*-0.3'; ':exact' cuts nothing off.")
    ],
    name: Annotated[str | None, typer.Option(help="Keep it in the store as [ns/]name.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write it into this new folder.")] = None,
    rank: Annotated[
        str | None, typer.Option(help="exact, auto (keeps 99 % of the squared norm), or a number.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="linear, vector, bai, graft, ties, dare, dare_ties, magnitude.")
    ] = "linear",
    density: Annotated[
        float | None, typer.Option(help="ties, dare, magnitude: share of elements that stays.")
    ] = None,
    keep: Annotated[
        float | None, typer.Option(help="graft: share of components that stays.")
    ] = None,
    a: Annotated[float | None, typer.Option("--a", help="bai: share of the merge.")] = None,
    seed: Annotated[int | None, typer.Option(help="dare: of the random choice.")] = None,
    base: Family = None,
    accept_base: AcceptBase = False,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Compose adapters of the store into one that says what it is made of."""
    from ...adapters.compose import compose as composing
    from ...adapters.compose.methods import method_of, parse_rank

    if (name is None) == (out is None):
        raise UsageError("say either --name NAME (into the store) or --out DIR (a new folder)")
    found = _store(store)
    composed = composing.compose(
        found,
        expression,
        rank=parse_rank(rank),
        method=method_of(method, density=density, keep=keep, a=a, seed=seed),
        base=base,
        accept_base=accept_base,
    )
    ref, version_digest = None, None
    if name is not None:
        version = composing.keep(found, composed, name=name)
        ref, path, version_digest = version.ref, version.path, version.version_digest
    else:
        path = composing.write(composed, out or Path())
    if json:
        document = {
            "ref": ref,
            "version_digest": version_digest,
            "path": str(path),
            "kind": composed.card.kind,
            "expression": composed.expression,
            "method": method,
            "rank": composed.rank,
            "error": composed.error,
            "parents": [parent.model_dump(mode="json") for parent in composed.parents],
            "licence": composed.card.licence,
            "notes": list(composed.notes),
        }
        print(json_module.dumps(document, indent=1))
        return 0
    cut = f"relative error {composed.error:.4g}" if composed.error else "nothing cut off"
    print(f"{ref or path}: {composed.expression} by {method}, rank {composed.rank}, {cut}")
    for note in composed.notes:
        print(f"  {note}")
    return 0


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
    base: BaseFolder = None,
    accept_base: AcceptBase = False,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Write a version as a merged model, or as a bundle."""
    if (merged is None) == (bundle is None):
        raise UsageError("say either --merged DIR (a model) or --bundle FILE (for another store)")
    found = _store(store)
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
    print(json_module.dumps(told, indent=1) if json else line)
    return 0


def import_bundle(
    file: Annotated[Path, typer.Argument(help="A bundle that `export --bundle` wrote.")],
    base: Annotated[
        Path | None, typer.Option("--base", help="Folder of the base to check against.")
    ] = None,
    accept_base: AcceptBase = False,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Take the versions of a bundle into the store, through the gate."""
    identity = None if base is None else identify_base(base)
    versions = _store(store).import_bundle(file, base=identity, accept_base=accept_base)
    if json:
        rows = [{"ref": v.ref, "version_digest": v.version_digest} for v in versions]
        print(json_module.dumps(rows, indent=1))
    else:
        for version in versions:
            print(f"{version.ref}  {version.version_digest}")
    return 0


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


def _store(root: Path | None) -> Store:
    return Store(root or default_store_root())
