"""The verbs of the store: add, list, search, path, tag, rollback, rm, gc, fsck.

Thin: every verb is one call of `adapters.Store` and a way to print it; what points elsewhere after
it, or is gone, stands in the store's audit log.
"""

import json as json_module
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...adapters import (
    BaseIdentity,
    Card,
    Store,
    UsageError,
    Version,
    default_store_root,
    identify_base,
)
from ...adapters.text import shown
from ...distill.tiny_base import tiny_base_path
from ...server.gateway.access.audit import Act
from ...server.gateway.access.who import recorded
from .options import AcceptBase, BaseDir, Json, Ref, StoreDir

SHOWN = 100
WHOLE = 1 << 31


def _store(root: Path | None, *, read_only: bool = False) -> Store:
    return Store(root or default_store_root(), read_only=read_only)


def _recorded(action: str, store: Path | None, **facts: str) -> AbstractContextManager[Act]:
    return recorded(action, store or default_store_root(), **facts)


def _identity(base: Path | None) -> BaseIdentity:
    return identify_base(base or tiny_base_path())


def add(
    peft_dir: Annotated[Path, typer.Argument(help="A PEFT folder.")],
    name: Annotated[str, typer.Option(help="[namespace/]name in the store.")],
    base: BaseDir = None,
    skill: Annotated[Path | None, typer.Option(help="Skill folder to keep with it.")] = None,
    licence: Annotated[str | None, typer.Option(help="Its licence; never guessed.")] = None,
    accept_base: AcceptBase = False,
    store: StoreDir = None,
) -> int:
    """Take an adapter in, through the gate; the base is asserted by you."""
    identity = _identity(base)
    label = (base or tiny_base_path()).name
    card = Card(
        kind="skill",
        base=identity.for_card(name=label, asserted=True),
        skill_name=name,
        licence=licence,
    )
    version = _store(store).put(
        peft_dir, card=card, name=name, skill_dir=skill, base=identity, accept_base=accept_base
    )
    print(f"{version.ref}  {version.version_digest}")
    return 0


def list_adapters(
    base: Annotated[str | None, typer.Option(help="Family digest, or its first digits.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only cards of this kind.")] = None,
    limit: Annotated[
        int | None, typer.Option(help=f"How many; default {SHOWN} in a table, all as JSON.", min=1)
    ] = None,
    after: Annotated[str | None, typer.Option(help="Go on behind a page: its `next`.")] = None,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """List the versions of every name, by name and number; a page of them where a limit is given.

    As JSON a list; with --limit or --after an object {"adapters": [...], "next": cursor or null}.
    """
    found = _store(store)
    whole = json and limit is None and after is None
    size = limit or (WHOLE if whole else SHOWN)
    page = found.page(after=after, limit=size, base=base, kind=kind)
    rows = [_row(v, names) for v, names in zip(page.versions, page.aliases, strict=True)]
    if json:
        document = rows if whole else {"adapters": rows, "next": page.next}
        print(json_module.dumps(document, indent=1))
        return 0
    _print_table(rows, nothing=f"{found.root} holds no adapters")
    if page.next is not None:
        print(f"more: --after {page.next}")
    return 0


def search(
    words: Annotated[list[str], typer.Argument(help="Words, or how words begin; all must occur.")],
    base: Annotated[str | None, typer.Option(help="Family digest, or its first digits.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only cards of this kind.")] = None,
    limit: Annotated[int, typer.Option(help="How many.", min=1)] = 20,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Find versions by id, skill name, description, kind, alias or licence; the best first."""
    found = _store(store)
    text = " ".join(words)
    hits = found.search(text, base=base, kind=kind, limit=limit)
    rows = [_row(version, _aliases_of(found, version)) for version in hits]
    if json:
        print(json_module.dumps(rows, indent=1))
    else:
        _print_table(rows, nothing=f"nothing in {found.root} holds every word of {text!r}")
    return 0


def _print_table(rows: list[dict[str, str]], *, nothing: str) -> None:
    table = Table("adapter", "aliases", "kind", "base", "licence", "digest")
    for row in rows:
        table.add_row(*(Text(shown(text)) for text in row.values()))  # no stranger's markup
    Console().print(table if rows else Text(nothing))


def _row(version: Version, aliases: Iterable[str]) -> dict[str, str]:
    return {
        "adapter": version.ref,
        "aliases": ", ".join(aliases),
        "kind": version.card.kind,
        "base": f"{version.card.base.name} {version.base[:12]}".strip(),
        "licence": version.card.licence or "",
        "digest": version.version_digest[:12],
    }


def _aliases_of(store: Store, version: Version) -> list[str]:
    aliases = store.aliases(str(version.id), base=version.base)
    return sorted(alias for alias, number in aliases.items() if number == version.number)


def path(
    ref: Ref,
    store: StoreDir = None,
) -> int:
    """Print the folder of one version, which PEFT and vLLM load as it is."""
    print(_store(store).resolve(ref).path)
    return 0


def tag(
    ref: Annotated[str, typer.Argument(help="The version, such as name@3.")],
    alias: Annotated[str, typer.Argument(help="The alias to move to it.")],
    expected: Annotated[
        int | None, typer.Option(help="Only where the alias points to this version now.")
    ] = None,
    store: StoreDir = None,
) -> int:
    """Point an alias at a version."""
    found = _store(store)
    with _recorded("tag", store, ref=ref, alias=alias):
        version = found.resolve(ref)
        found.tag(str(version.id), alias, version.number, base=version.base, expected=expected)
    print(f"{version.id}@{alias} is {version.ref}")
    return 0


def rollback(
    name: Annotated[str, typer.Argument(help="[namespace/]name.")],
    alias: Annotated[str, typer.Option(help="The alias to take back.")] = "default",
    base: Annotated[
        str | None, typer.Option(help="Family digest, where there are several.")
    ] = None,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Point an alias back to where it pointed before."""
    with _recorded("rollback", store, name=name, alias=alias) as act:
        version = _store(store).rollback(name, base=base, alias=alias)
        act.facts["ref"] = version.ref
    document = {"ref": version.ref, "version_digest": version.version_digest, "alias": alias}
    print(json_module.dumps(document) if json else f"{name}@{alias} is {version.ref}")
    return 0


def remove(
    ref: Annotated[str, typer.Argument(help="The version, such as name@3.")],
    store: StoreDir = None,
) -> int:
    """Remove one version; its files go with the next `gc`."""
    if "@" not in ref:
        raise UsageError(f"{ref!r} names no version, expected one such as {ref}@1")
    found = _store(store)
    with _recorded("rm", store, ref=ref):
        version = found.resolve(ref)
        found.remove(str(version.id), version.number, base=version.base)
    print(f"removed {version.ref}")
    return 0


def gc(store: StoreDir = None, json: Json = False) -> int:
    """Free what no name and no version refers to; say what the store then holds.

    How much it may hold is written in its `store.json`, such as
    {"schema": 2, "quotas": {"bytes": 50000000000, "namespaces": {"team": 2000000000}}}.
    """
    found = _store(store)
    report, usage = found.gc(), found.usage()
    if json:
        document = {
            "removed": report.removed,
            "freed_bytes": report.freed_bytes,
            "bytes": usage.bytes,
            "allowed_bytes": usage.allowed_bytes,
            "namespaces": {
                name: {"bytes": held, "allowed_bytes": allowed}
                for name, (held, allowed) in usage.namespaces.items()
            },
        }
        print(json_module.dumps(document, indent=1))
        return 0
    for name in report.removed:
        print(f"removed {name}")
    print(f"freed {report.freed_bytes} bytes")
    print(_of("the store holds", usage.bytes, usage.allowed_bytes))
    for name, (held, allowed) in usage.namespaces.items():
        if allowed is not None:
            print(_of(f"namespace {name!r} holds", held, allowed))
    return 0


def _of(what: str, held: int, allowed: int | None) -> str:
    return f"{what} {held} bytes" + (f" of {allowed} allowed" if allowed is not None else "")


def fsck(
    rebuild_index: Annotated[
        bool, typer.Option("--rebuild-index", help="Also make the index anew from the files.")
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Take no lock and change nothing at all.")
    ] = False,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Check every file of the store; exit code 1 when something is wrong."""
    if rebuild_index and read_only:
        raise UsageError("--rebuild-index writes, --read-only forbids it: give one of them")
    found = _store(store, read_only=read_only)
    if rebuild_index:
        found.rebuild_index()
    problems = found.fsck()
    if json:
        print(json_module.dumps([{"code": p.code, "message": p.message} for p in problems]))
    else:
        for problem in problems:
            print(f"{problem.code}: {problem.message}")
        print(f"{len(problems)} problem(s)")
    return 1 if problems else 0
