"""`skillweave demo`: the main job end to end, with a report."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ...adapters import SkillError, UsageError
from ...adapters.skills import Skill, discover_skills
from ...distill.demo.assemble import assemble, judged, met
from ...distill.demo.run import run_demo
from ...distill.demo.settings import DemoSettings
from ...distill.demo.state import DemoRun
from ...distill.report import render_html, render_terminal, write_report
from ...distill.tiny_base import tiny_base_path
from ...distill.trainable import checked
from ..launching import launcher
from ..progress import progress_bars

KEPT = ("report.json", "report.html", "items.jsonl", "store", "router", "logs")


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("runs/demo"),
    skills: Annotated[
        Path, typer.Option(help="Folder with the skills; each needs a checker.")
    ] = Path("examples/skills"),
    seed: Annotated[int, typer.Option(help="Seed of requests and training.")] = 0,
    items: Annotated[int, typer.Option(help="Held-out requests of every skill.")] = 200,
    base: Annotated[Path | None, typer.Option(help="Base model; default: the shipped one.")] = None,
) -> int:
    """Train, store, serve, ask, evaluate and report; about eight minutes on two cores.

    Exit code 0 when the run is complete, whether or not every bar was met; the report says which.
    """
    base = base or tiny_base_path()
    found_skills = _skills(skills)
    for skill in found_skills:
        checked(skill, base)
    _clear(out)
    settings = DemoSettings(seed=seed, num_items=items)
    console = Console(stderr=True)
    console.print(
        f"{len(found_skills)} skills from {skills}, {items} held-out requests each; "
        f"report in {out}. Started {datetime.now():%H:%M:%S}."
    )
    with progress_bars() as bars:
        run = DemoRun(
            base=base,
            skills=found_skills,
            skills_dir=skills,
            out=out,
            settings=settings,
            launch=launcher(log_dir=out / "logs"),
            report=bars,
        )
        found = run_demo(run)
    report = assemble(run, found, command="skillweave demo")
    write_report(out / "report.json", report)
    (out / "report.html").write_text(render_html(report), encoding="utf-8")
    Console().print(render_terminal(report))
    verdict = judged(run, found).checked
    print(f"{'every bar met' if met(verdict) else 'bars missed, see above'}; {out}/report.html")
    return 0


def _skills(folder: Path) -> list[Skill]:
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder, expected one with SKILL.md folders in it")
    discovery = discover_skills(folder)
    if discovery.skipped:
        raise SkillError(f"a skill in {folder} cannot be read: {discovery.skipped[0]}")
    skills = [skill for skill, _ in discovery]
    if len(skills) < 2:
        raise UsageError(f"{folder} holds {len(skills)} skills, the demo needs at least 2")
    return skills


def _clear(out: Path) -> None:
    """Remove what an earlier demo left in `out`, and nothing else."""
    out.mkdir(parents=True, exist_ok=True)
    strangers = sorted(p.name for p in out.iterdir() if p.name not in KEPT)
    if strangers:
        raise UsageError(
            f"{out} holds {', '.join(strangers[:3])}, which no demo wrote; give another --out"
        )
    for name in KEPT:
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
