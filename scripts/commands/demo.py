"""`skillweave demo`: the main job end to end, with a report."""

import shlex
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
from ...distill.demo.state import DemoRun, Found
from ...distill.report import render_html, render_terminal, write_report
from ...distill.tiny_base import tiny_base_path
from ...distill.trainable import checked
from ..demo_folder import claim
from ..launching import launcher
from ..progress import progress_bars

ESTIMATE = "about eight minutes on two cores"
"""What the whole takes with the shipped skills and 200 requests each; the measured time follows."""
OUT = Path("runs/demo")
SKILLS = Path("examples/skills")
ITEMS = 200
MAX_SEED = 2**31 - 1


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = OUT,
    skills: Annotated[
        Path, typer.Option(help="Folder with the skills; each needs a checker.")
    ] = SKILLS,
    seed: Annotated[
        int, typer.Option(min=0, max=MAX_SEED, help="Seed of requests and training.")
    ] = 0,
    items: Annotated[int, typer.Option(min=8, help="Held-out requests of every skill.")] = ITEMS,
    base: Annotated[Path | None, typer.Option(help="Base model; default: the shipped one.")] = None,
) -> int:
    """Train, store, serve, ask, evaluate and report; about eight minutes on two cores.

    Exit code 0 when the run is complete, whether or not every bar was met; the report says which.
    """
    command = command_line(out=out, skills=skills, seed=seed, items=items, base=base)
    base = base or tiny_base_path()
    found_skills = _skills(skills)
    for skill in found_skills:
        checked(skill, base)
    claim(out)
    console = Console(stderr=True)
    console.print(
        f"{len(found_skills)} skills from {skills}, {items} held-out requests each; "
        f"report in {out}. Started {datetime.now():%H:%M:%S}; the whole takes {ESTIMATE}."
    )
    with progress_bars() as bars:
        run = DemoRun(
            base=base,
            skills=found_skills,
            skills_dir=skills,
            out=out,
            settings=DemoSettings(seed=seed, num_items=items),
            launch=launcher(log_dir=out / "logs", report=bars),
            report=bars,
        )
        found = run_demo(run)
    write_out(run, found, command=command)
    return 0


def write_out(run: DemoRun, found: Found, *, command: str) -> None:
    """Write `report.json` and `report.html`, and print the report."""
    report = assemble(run, found, command=command)
    write_report(run.out / "report.json", report)
    (run.out / "report.html").write_text(render_html(report), encoding="utf-8")
    Console().print(render_terminal(report))
    verdict = judged(run, found).checked
    print(f"{'every bar met' if met(verdict) else 'bars missed, see above'}; {run.out}/report.html")


def command_line(*, out: Path, skills: Path, seed: int, items: int, base: Path | None) -> str:
    """The command that gives this run again, with what differs from the defaults.

    Of an absolute path only the last part is told: the rest is one machine's.
    """
    words = ["skillweave", "demo"]
    if out != OUT:
        words += ["--out", _told(out)]
    if skills != SKILLS:
        words += ["--skills", _told(skills)]
    if seed:
        words += ["--seed", str(seed)]
    if items != ITEMS:
        words += ["--items", str(items)]
    if base is not None:
        words += ["--base", _told(base)]
    return shlex.join(words)


def _told(path: Path) -> str:
    return f".../{path.name}" if path.is_absolute() or ".." in path.parts else str(path)


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
