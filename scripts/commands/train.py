"""`skillweave train SKILL_DIR...`: skill texts become adapters in the store."""

import json as json_module
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ...adapters import SkillweaveError, Store, UsageError, default_store_root, identify_base
from ...adapters.skills import Skill, read_skill
from ...distill.tiny_base import tiny_base_path
from ...distill.token_meter import read_meter
from ...distill.trainable import checked
from .options import Json, StoreDir

Row = dict[str, object]
MAX_SEED = 2**31 - 1


def train_skills(
    skill_dirs: Annotated[list[Path], typer.Argument(help="Folders with a SKILL.md.")],
    base: Annotated[Path | None, typer.Option(help="Base model; default: the shipped one.")] = None,
    recipe: Annotated[str, typer.Option(help="How to train.")] = "s2l",
    teacher: Annotated[
        str | None,
        typer.Option(help="OpenAI-compatible address that demonstrates; default: the base itself."),
    ] = None,
    teacher_model: Annotated[
        str | None, typer.Option(help="Model name at that address; needed with --teacher.")
    ] = None,
    teacher_key: Annotated[
        str,
        typer.Option(
            envvar="SKILLWEAVE_TEACHER_KEY", help="Key for that address; sent only there."
        ),
    ] = "none",
    seed: Annotated[
        int, typer.Option(min=0, max=MAX_SEED, help="Seed of requests and training.")
    ] = 0,
    force: Annotated[
        bool, typer.Option("--force", help="Train even where the text does not help this base.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would cost and stop.")
    ] = False,
    store: StoreDir = None,
    json: Json = False,
) -> int:
    """Train one adapter per skill; a skill that cannot be trained does not stop the others.

    Exit code 1 when any skill was refused or failed.
    """
    if recipe != "s2l":
        raise UsageError(f"recipe {recipe!r} trains no skills, expected s2l")
    if (teacher is None) != (teacher_model is None):
        raise UsageError("--teacher and --teacher-model go together: name both or neither")
    base = base or tiny_base_path()
    rows: list[Row] = []
    fit = _distinct(
        [skill for folder in skill_dirs if (skill := _read(folder, base, rows)) is not None], rows
    )
    if dry_run:
        rows += [_cost(skill, base) for skill in fit]
    elif fit:
        # brings torch along, so only when it is needed
        from ..training import Endpoint, train_all

        at = None if teacher is None else Endpoint(teacher, teacher_model or "", teacher_key)
        rows += train_all(
            fit,
            base=base,
            store=Store(store or default_store_root()),
            teacher=at,
            seed=seed,
            force=force,
        )
    _print(rows, json=json)
    return 1 if any(row["status"] in ("refused", "failed") for row in rows) else 0


def _read(folder: Path, base: Path, rows: list[Row]) -> Skill | None:
    """The first gate, reading included; what it refuses costs nothing."""
    name = folder.name or str(folder)
    try:
        skill, warnings = read_skill(folder)
        name = skill.name
        for warning in warnings:
            print(f"{folder}: {warning}", file=sys.stderr)
        checked(skill, base)
    except SkillweaveError as err:
        rows.append(_refused(name, str(err)))
        return None
    return skill


def _distinct(skills: list[Skill], rows: list[Row]) -> list[Skill]:
    """Skills of one name would become versions of one adapter, so none of them is taken."""
    folders: dict[str, list[str]] = {}
    for skill in skills:
        folders.setdefault(skill.name, []).append(str(skill.path))
    for name, found in folders.items():
        if len(found) > 1:
            rows.append(_refused(name, f"{' and '.join(found)} are all called {name!r}; name one"))
    return [skill for skill in skills if len(folders[skill.name]) == 1]


def _refused(name: str, reason: str) -> Row:
    return {"skill": name, "status": "refused", "reason": reason}


def _cost(skill: Skill, base: Path) -> Row:
    from ...distill.estimate import estimate
    from ...distill.recipes.s2l import S2L

    meter = read_meter(base / "tokenizer.json", label=base.name)
    cost = estimate(identify_base(base), S2L(), body_tokens=meter.count_tokens(skill.body))
    return {"skill": skill.name, "status": "dry run", **asdict(cost)}


def _print(rows: list[Row], *, json: bool) -> None:
    if json:
        print(json_module.dumps(rows, indent=1))
        return
    for row in rows:
        about = ", ".join(f"{k} {v}" for k, v in row.items() if k not in ("skill", "reason"))
        print(f"{row['skill']}: {about}")
        if "reason" in row:
            print(f"  {row['reason']}", file=sys.stderr)
