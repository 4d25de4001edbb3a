"""The verbs of the store: add, list, path, tag, rollback, rm, gc, fsck.

Thin: every verb is one call of `adapters.Store` and a way to print it.
"""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ...adapters import (
    BaseIdentity,
    Card,
    Store,
    UsageError,
    Version,
    default_store_root,
    identify_base,
)
from ...distill.tiny_base import tiny_base_path

StoreDir = Annotated[
    Path | None, typer.Option("--store", help="Store; default: $SKILLWEAVE_HOME/store.")
]
BaseDir = Annotated[
    Path | None, typer.Option("--base", help="Folder of the base; default: the shipped one.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _store(root: Path | None) -> Store:
    return Store(root or default_store_root())


def _identity(base: Path | None) -> BaseIdentity:
    return identify_base(base or tiny_base_path())


def add(
    peft_dir: Annotated[Path, typer.Argument(help="A PEFT folder.")],
    name: Annotated[str, typer.Option(help="[namespace/]name in the store.")],
    base: BaseDir = None,
    skill: Annotated[Path | None, typer.Option(help="Skill folder to keep with it.")] = None,
    licence: Annotated[str | None, typer.Option(help="Its licence; never guessed.")] = None,
    accept_base: Annotated[
        bool, typer.Option("--accept-base", help="Take it although its precision differs.")
    ] = False,
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
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """List every version of every name."""
    found = _store(store)
    versions = found.list(base=base)
    rows = [_row(found, version) for version in versions]
    if json:
        print(json_module.dumps(rows, indent=1))
        return 0
    table = Table("adapter", "aliases", "kind", "base", "licence", "digest")
    for row in rows:
        table.add_row(*(str(row[key]) for key in row))
    Console().print(table if rows else f"{found.root} holds no adapters")
    return 0


def _row(store: Store, version: Version) -> dict[str, str]:
    aliases = store.aliases(str(version.id), base=version.base)
    mine = sorted(alias for alias, number in aliases.items() if number == version.number)
    return {
        "adapter": version.ref,
        "aliases": ", ".join(mine),
        "kind": version.card.kind,
        "base": f"{version.card.base.name} {version.base[:12]}".strip(),
        "licence": version.card.licence or "",
        "digest": version.version_digest[:12],
    }


def path(
    ref: Annotated[str, typer.Argument(help="name, name@2, name@alias or name@latest.")],
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
) -> int:
    """Point an alias back to where it pointed before."""
    found = _store(store)
    found.rollback(name, base=base, alias=alias)
    ref = f"{name}@{alias}"
    print(f"{ref} is {found.resolve(ref, base=base).ref}")
    return 0


def remove(
    ref: Annotated[str, typer.Argument(help="The version, such as name@3.")],
    store: StoreDir = None,
) -> int:
    """Remove one version; its files go with the next `gc`."""
    if "@" not in ref:
        raise UsageError(f"{ref!r} names no version, expected one such as {ref}@1")
    found = _store(store)
    version = found.resolve(ref)
    found.remove(str(version.id), version.number, base=version.base)
    print(f"removed {version.ref}")
    return 0


def gc(store: StoreDir = None) -> int:
    """Free what no name and no version refers to."""
    print(_store(store).gc())
    return 0


def fsck(store: StoreDir = None, json: Json = False) -> int:
    """Check every file of the store; exit code 1 when something is wrong."""
    problems = _store(store).fsck()
    if json:
        print(json_module.dumps([{"code": p.code, "message": p.message} for p in problems]))
    else:
        for problem in problems:
            print(f"{problem.code}: {problem.message}")
        print(f"{len(problems)} problem(s)")
    return 1 if problems else 0
