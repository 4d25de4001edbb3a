"""`skillweave route`: what the saved router makes of one text.

Owns how a decision is printed. Decides nothing; the router does.
"""

import json as jsonlib
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ...adapters.errors import UsageError
from ...adapters.settings import load_settings
from ...router import Message, Route, Router, State
from .options import StoreDir

ROUTER_FOLDER = "router"


def route(
    text: Annotated[str, typer.Argument(help="A request, as a user would write it.")],
    top: Annotated[int, typer.Option("--top", min=1, help="How many skills to show.")] = 5,
    router: Annotated[
        Path | None,
        typer.Option(help="Saved router. Default: the folder `router` beside the store."),
    ] = None,
    store: StoreDir = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    """Show which skill, in which form, a request would be sent to, and all scores."""
    folder = router or default_router(store)
    if not (folder / "router.json").is_file():
        raise UsageError(
            f"no router in {folder}: expected one saved by `skillweave demo`, or name another "
            "with --router"
        )
    loaded = Router.load(folder)
    state = State((Message("user", text),))
    decided, best = loaded.route(state), loaded.top(state, top)
    if json:
        print(jsonlib.dumps(as_json(loaded, decided, best), indent=2, ensure_ascii=False))
    else:
        Console().print(as_table(loaded, decided, best))
    return 0


def default_router(store: Path | None) -> Path:
    """Where a router is kept that belongs to a store: beside it."""
    return (store or load_settings().store_root).parent / ROUTER_FOLDER


def as_json(
    router: Router, decided: Route, best: tuple[tuple[str, float], ...]
) -> dict[str, object]:
    """The decision as data; `skill` is null where the router abstains."""
    choice = decided.choice[0] if decided.choice else None
    return {
        "skill": choice.skill if choice else None,
        "form": choice.form if choice else "none",
        "reason": decided.reason,
        "selector": router.auto,
        "threshold": router.selector.threshold,
        "scores": dict(best),
    }


def as_table(router: Router, decided: Route, best: tuple[tuple[str, float], ...]) -> RenderableType:
    """The decision for a terminal: the best skills, the threshold, the reason."""
    forms = {skill.name: skill.form for skill in router.skills}
    chosen = {choice.skill for choice in decided.choice}
    table = Table(box=None, pad_edge=False)
    for name in ("skill", "score", "form", ""):
        table.add_column(name, justify="right" if name == "score" else "left")
    for skill, score in best:
        mark = Text("chosen", style="green") if skill in chosen else Text("")
        table.add_row(Text(skill), Text(f"{score:.3f}"), Text(forms[skill]), mark)
    by = f"{router.auto}, threshold {router.selector.threshold:.3f}"
    return Group(table, Text(decided.reason), Text(by, style="dim"))
