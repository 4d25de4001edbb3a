"""The verb compose: one adapter out of several. Thin: one call of `adapters`, and what it tells."""

from pathlib import Path
from typing import Annotated

import typer

from ...adapters import AdapterId, Store, UsageError, default_store_root
from ...adapters.new_folder import check_free
from .json_out import print_json
from .options import AcceptBase, Family, Json, StoreDir


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
    """Make one adapter out of several; it says what it is made of and what was cut off."""
    from ...adapters.compose import compose as composing
    from ...adapters.compose.methods import method_of, parse_rank

    if (name is None) == (out is None):
        raise UsageError("say either --name NAME (into the store) or --out DIR (a new folder)")
    if name is not None:
        AdapterId.parse(name)  # before anything is computed
    else:
        check_free(out or Path())
    found = Store(store or default_store_root())
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
        print_json(document)
        return 0
    cut = f"relative error {composed.error:.4g}" if composed.error else "nothing cut off"
    print(f"{ref or path}: {composed.expression} by {method}, rank {composed.rank}, {cut}")
    for note in composed.notes:
        print(f"  {note}")
    return 0
