"""`skillweave push` and `pull`: an adapter to a hub and back.

Thin: what the options say, and printing. The work is in `adapters/hub/push.py`. `HF_ENDPOINT`,
`HF_TOKEN`, `HF_HOME` and `HF_HUB_OFFLINE` mean what they mean to `hf`.
"""

import json as json_module
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ...adapters import (
    BaseIdentity,
    Store,
    UsageError,
    Version,
    default_store_root,
    identify_base,
)
from ...adapters.hub.origins import Stated, sources_of
from ...adapters.hub.push import Pushed, PushPlan, licence_for, plan_push
from ...adapters.hub.push import pull as pull_from_hub
from ...adapters.hub.push import push as push_to_hub
from ...distill.tiny_base import tiny_base_path
from ...server.gateway.access.who import recorded
from .options import AcceptBase, Json, StoreDir


def push(
    ref: Annotated[str, typer.Argument(help="name, name@2 or name@alias in the store.")],
    repo_id: Annotated[str, typer.Argument(help="namespace/name on the hub; made if missing.")],
    public: Annotated[
        bool, typer.Option("--public", help="For everybody; without it, private.")
    ] = False,
    branch: Annotated[str, typer.Option(help="Branch of the repository.")] = "main",
    message: Annotated[str | None, typer.Option(help="Of the commit.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Put on the commit; repeat it.")] = None,
    tag_version: Annotated[
        bool, typer.Option("--tag-version", help="Tag it with the version's number, as v3.")
    ] = False,
    licence: Annotated[str | None, typer.Option(help="Of the adapter as a whole.")] = None,
    skill_licence: Annotated[str | None, typer.Option(help="Of the skill, if unnamed.")] = None,
    base_licence: Annotated[str | None, typer.Option(help="Of the base.")] = None,
    teacher_licence: Annotated[str | None, typer.Option(help="Of the teacher's answers.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show every file and what would change; send nothing.")
    ] = False,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Publish a version on a hub, with its evidence and a model card; private unless --public."""
    found = Store(store or default_store_root())
    version = found.resolve(ref)
    evidence = found.attestations(version.version_digest)
    parts = Stated(skill=skill_licence, base=base_licence, teacher=teacher_licence)
    sources = sources_of(found, version, stated=parts, base_licence=_base_licence(version))
    stated = licence_for(sources, private=not public, stated=licence)
    if dry_run:
        plan = plan_push(
            version,
            repo_id,
            private=not public,
            branch=branch,
            evidence=evidence,
            licence=stated,
        )
        _show_plan(plan, version, json=json)
        return 0
    tags = [*(tag or ()), *([f"v{version.number}"] if tag_version else ())]
    done = push_to_hub(
        version,
        repo_id,
        private=not public,
        branch=branch,
        message=message,
        tags=tags,
        evidence=evidence,
        licence=stated,
    )
    _show_pushed(done, version, json=json)
    return 0


def pull(
    source: Annotated[str, typer.Argument(help="REPO_ID or REPO_ID@REVISION.")],
    name: Annotated[
        str | None, typer.Option(help="[namespace/]name in the store; default: the repository's.")
    ] = None,
    base: Annotated[
        Path | None, typer.Option("--base", help="Folder of the base; default: known, or shipped.")
    ] = None,
    accept_base: AcceptBase = False,
    alias: Annotated[list[str] | None, typer.Option(help="Move to it; repeat it.")] = None,
    licence: Annotated[str | None, typer.Option(help="For one without a card.")] = None,
    trust_evidence: Annotated[
        bool, typer.Option("--trust-evidence", help="Take its attestations at their word.")
    ] = False,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Fetch an adapter from a hub; it passes the gate before the store shows it."""
    repo_id, at, revision = source.partition("@")
    if at and not revision:
        raise UsageError(f"{source!r} names no revision after the @: say REPO_ID@REVISION, or none")
    root = store or default_store_root()
    with recorded("pull", root, source=source, name=name) as act:
        version = pull_from_hub(
            repo_id,
            store=Store(root),
            revision=revision or None,
            name=name,
            base=identify_base(base) if base else None,
            shipped=_shipped,
            base_name=base.name if base else "",
            accept_base=accept_base,
            aliases=tuple(alias or ()),
            licence=licence,
            trust_evidence=trust_evidence,
        )
        act.facts |= {"ref": version.ref, "version_digest": version.version_digest}
    if json:
        row = {"ref": version.ref, "version_digest": version.version_digest}
        print(json_module.dumps({**row, "path": str(version.path)}, indent=1))
    else:
        print(f"{version.ref}  {version.version_digest}")
    return 0


def _shipped() -> BaseIdentity:
    return identify_base(tiny_base_path())


def _base_licence(version: Version) -> str | None:
    """Of the base, where it is the shipped one."""
    if version.base != _shipped().family_digest:
        return None
    return str(json_module.loads((tiny_base_path() / "card.json").read_bytes())["licence"])


def _show_plan(plan: PushPlan, version: Version, *, json: bool) -> None:
    if json:
        document = {"ref": version.ref, **asdict(plan), "sent_bytes": plan.sent_bytes}
        print(json_module.dumps(document, indent=1))
        return
    table = Table("file", "bytes", "change")
    for file in plan.files:
        table.add_row(file.path, f"{file.size:,}", file.change)
    seen = "public" if not plan.private else "private"
    there = {None: "not asked (offline)", True: "exists", False: "would be made"}[plan.exists]
    console = Console()
    console.print(table)
    console.print(
        f"{version.ref} -> {plan.repo_id} on {plan.endpoint}: {seen}, {there}; "
        f"{plan.sent_bytes:,} bytes would be sent; licence: {plan.licence or 'none stated'}. "
        "Nothing was sent.",
        soft_wrap=True,
    )


def _show_pushed(done: Pushed, version: Version, *, json: bool) -> None:
    if json:
        print(json_module.dumps({"ref": version.ref, **asdict(done)}, indent=1))
    else:
        print(f"{version.ref} -> {done.url}")
