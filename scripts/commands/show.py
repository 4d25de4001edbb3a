"""The verbs that look: show (one version), lineage (its relatives), similar (who is like whom).

Thin: numbers come from `adapters.analysis`, `told.py` lays one version out for people.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ...adapters import Store, Version, default_store_root
from ...adapters.analysis import facts as facts_module
from ...adapters.card import card_document
from .json_out import print_json
from .options import Family, Json, Ref, StoreDir
from .told import told

Plot = Annotated[Path | None, typer.Option("--plot", help="Draw it into this file, .png or .svg.")]


def show(
    ref: Ref,
    spectrum: Annotated[
        bool, typer.Option("--spectrum", help="Also: singular values, error against rank.")
    ] = False,
    plot: Plot = None,
    base: Family = None,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Show one version: what it is, what it was made from, and the evidence for it."""
    _check(plot)
    found = Store(store or default_store_root())
    version = found.resolve(ref, base=base)
    facts = facts_module.facts(version)
    parents = facts_module.parents_of(found, version)
    attested = found.attestations(version.version_digest)
    aliases = found.aliases(str(version.id), base=version.base)
    names = sorted(alias for alias, number in aliases.items() if number == version.number)
    document: dict[str, object] = {
        "ref": version.ref,
        "aliases": names,
        "version_digest": version.version_digest,
        "weights_digest": version.weights_digest,
        "path": str(version.path),
        "rank": facts.ranks[1],
        "modules": list(facts.modules),
        "parameters": facts.parameters,
        "dtypes": list(facts.dtypes),
        "size_bytes": facts.size_bytes,
        "card": card_document(version.card),
        "lineage": parents.document(),
        "attestations": attested,
    }
    console = Console()
    if not json:
        console.print(told(version, facts, parents, aliases=names, attested=attested))
    if spectrum or plot is not None:
        document["spectrum"] = _spectrum(version, plot, console if spectrum and not json else None)
        if not json:
            _say_drawn(plot)
    if json:
        print_json(document)
    return 0


def lineage(
    ref: Ref,
    plot: Plot = None,
    base: Family = None,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Show what a version was made from, and what was made from it."""
    from ...adapters.analysis.terminal import lineage_tree

    _check(plot)
    found = Store(store or default_store_root())
    version = found.resolve(ref, base=base)
    parents = facts_module.parents_of(found, version)
    children = facts_module.children_of(found, version)
    if plot is not None:
        from ...adapters.analysis.draw import draw_lineage

        draw_lineage(parents, plot, title=f"What {version.ref} was made from")
    if json:
        made = children.document("children")["children"]
        print_json({**parents.document(), "children": made})
        return 0
    console = Console()
    _say_drawn(plot)
    console.print("[bold]Made from[/bold]", lineage_tree(parents))
    if children.relatives:
        console.print("[bold]Made of it[/bold]", lineage_tree(children))
    return 0


def similar(
    ref: Annotated[
        str | None, typer.Argument(help="Only: who is like this one, the most alike first.")
    ] = None,
    base: Family = None,
    plot: Plot = None,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Show how alike the adapters of one base are, by the cosine of their updates."""
    from ...adapters.analysis.stored import stored_map
    from ...adapters.analysis.terminal import heat_map

    _check(plot)
    found = Store(store or default_store_root())
    wanted = None if ref is None else found.resolve(ref, base=base)
    seen = stored_map(found, base=wanted.base if wanted else base, include=wanted)
    if plot is not None:
        from ...adapters.analysis.draw import draw_similarity

        draw_similarity(seen, plot, title=f"Adapters of {found.root}")
    if wanted is None:
        if json:
            print_json(seen.document())
        else:
            Console().print(heat_map(seen))
            _say_drawn(plot)
        return 0
    nearest = seen.nearest(wanted.ref)
    if json:
        rows = [{"ref": other, "cosine": cosine} for other, cosine in nearest]
        print_json({"ref": wanted.ref, "nearest": rows})
    else:
        for other, cosine in nearest:
            print(f"{cosine:+.4f}  {other}")
        _say_drawn(plot)
    return 0


def _check(plot: Path | None) -> None:
    if plot is not None:
        from ...adapters.analysis.draw import check_plot_path

        check_plot_path(plot)


def _say_drawn(plot: Path | None) -> None:
    if plot is not None:
        print(f"drawn: {plot}")


def _spectrum(version: Version, plot: Path | None, console: Console | None) -> dict[str, object]:
    from ...adapters.analysis.draw import draw_spectrum
    from ...adapters.analysis.spectrum import spectrum
    from ...adapters.analysis.terminal import spectrum_bars
    from ...adapters.peft_folder.deltas import read_peft

    values = spectrum(read_peft(version.path))
    if console is not None:
        console.print(spectrum_bars(values))
    if plot is not None:
        draw_spectrum(values, plot, title=version.ref)
    return values.document()
