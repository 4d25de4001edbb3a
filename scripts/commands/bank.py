"""`skillweave bank add|list|show|log|fork|rollback DIR`: skill texts under version.

Thin: options and printing; the work is in `distill/bank/`. What a writer had to repair goes to
stderr.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...adapters.skills import read_skill, render_skill
from ...distill.bank import BankFolder, Event, SkillBank, open_bank, read_bank, seeded, write_fork
from .json_out import print_json
from .options import Json

BankDir = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the bank.")]
SHORT = 12
"""Digits of an id that are shown; as many are enough to name it."""

bank = typer.Typer(add_completion=False, no_args_is_help=True, help="Skill texts under version.")


@bank.command()
def add(
    folder: BankDir,
    skill_dirs: Annotated[list[Path], typer.Argument(metavar="SKILL_DIR...")],
    why: Annotated[str, typer.Option(help="Why nobody measured them.")] = "added by hand",
) -> None:
    """Take skill folders in, ungated; the bank is made where there is none."""
    skills = [read_skill(path)[0] for path in skill_dirs]
    with _writing(folder, create=True) as opened:
        whole = opened.bank.fork()
        seeded(skills, why=why, into=whole)
        opened.bank.adopt(whole)
    print(f"{len(skills)} skill(s) added, {len(whole)} active")


@bank.command("list")
def list_skills(folder: BankDir, json: Json = False) -> None:
    """List the active skills with what was observed of them."""
    seen = _read(folder)
    rows = [_row(seen, name) for name in seen.names]
    if json:
        print_json(rows)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("skill", "version", "uses", "utility", "failures", "description"):
        table.add_column(column)
    for row in rows:
        utility = "-" if row["utility"] is None else f"{row['utility']:+.3f}"
        shown = (row["name"], str(row["version"])[:SHORT], row["uses"], utility, row["failures"])
        table.add_row(*(Text(str(cell)) for cell in (*shown, row["description"])))
    Console().print(table)


@bank.command()
def show(
    folder: BankDir, name: Annotated[str, typer.Argument(help="Name of an active skill.")]
) -> None:
    """Print the SKILL.md of an active skill."""
    print(render_skill(_read(folder).skill(name)), end="")


@bank.command()
def log(folder: BankDir, json: Json = False) -> None:
    """List every event, the first one first; ids are snapshots for `rollback`."""
    events = _read(folder).events
    if json:
        print_json([event.model_dump(mode="json") for event in events])
        return
    table = Table(box=None, pad_edge=False)
    for column in ("", "id", "what", "about"):
        table.add_column(column)
    for event in events:
        what, about = _told(event)
        table.add_row(str(event.seq), event.id[:SHORT], Text(what), Text(about))
    Console().print(table)


@bank.command()
def fork(
    folder: BankDir, out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")]
) -> None:
    """Make a bank of its own with the same past."""
    write_fork(_read(folder), out)
    print(out)


@bank.command()
def rollback(
    folder: BankDir,
    snapshot: Annotated[str, typer.Argument(help="Id of an event, or its first digits.")],
    why: Annotated[str, typer.Option(help="Kept in the log.")] = "",
) -> None:
    """Make the active skills what they were after an event; the log only grows."""
    with _writing(folder) as opened:
        opened.bank.rollback(snapshot, why=why)
        names = opened.bank.names
    print(f"{len(names)} active: {', '.join(names) or 'none'}")


def _read(folder: Path) -> SkillBank:
    found, notes = read_bank(folder)
    _note(notes)
    return found


@contextmanager
def _writing(folder: Path, *, create: bool = False) -> Iterator[BankFolder]:
    with open_bank(folder, create=create) as opened:
        _note(opened.notes)
        yield opened


def _note(notes: tuple[str, ...]) -> None:
    for note in notes:
        print(note, file=sys.stderr)


def _row(seen: SkillBank, name: str) -> dict[str, object]:
    stats = seen.stats(name)
    return {
        "name": name,
        "version": seen.state.heads[name],
        "description": seen.text(name).description,
        "uses": stats.uses,
        "utility": stats.utility,
        "low_streak": stats.low_streak,
        "failures": len(stats.failures),
    }


def _told(event: Event) -> tuple[str, str]:
    """One event in two phrases."""
    body = event.body
    if body.type == "applied" or body.type == "refused":
        made = ", ".join(text.name for text in body.op.new)
        about = " -> ".join(part for part in (", ".join(body.op.targets), made) if part)
        gate = body.op.gate
        said = f"ungated: {gate.why}" if gate.type == "ungated" else gate.reason
        refused = "refused " if body.type == "refused" else ""
        return f"{refused}{body.op.kind}", f"{about} ({said})"
    if body.type == "observed":
        return "observed", body.digest[:SHORT]
    if body.type == "rolled-back":
        return "rolled back", f"to {body.to[:SHORT]}" + (f" ({body.why})" if body.why else "")
    return "opened", f"format {body.format}"
