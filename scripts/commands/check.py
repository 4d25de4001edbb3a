"""`skillweave check`: validate and lint skill folders; say what weights can carry."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ...distill.skill_check import CheckReport, SkillReport, check_skills

_CARRY = {
    "all": "weights can carry all of it",
    "part": "weights can carry the procedure; the rest stays with the agent",
    "nothing": "there is nothing that weights could carry",
}


def check(
    skill_dirs: Annotated[
        list[Path],
        typer.Argument(metavar="SKILL_DIR...", help="Skill folders.", show_default=False),
    ],
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> int:
    """Validate and lint SKILL.md folders, and say what weights can carry.

    Exit code 1 where a skill is invalid; its problems go to stderr.
    """
    report = check_skills(skill_dirs)
    if json:
        print(report.to_json())
    else:
        Console().print(render(report))
    for line in error_lines(report):
        print(line, file=sys.stderr)
    return 0 if report.valid else 1


def render(report: CheckReport) -> RenderableType:
    """The report for a terminal, without the problems: those go to stderr."""
    pieces: list[RenderableType] = [_skill(skill) for skill in report.skills]
    for pair in report.near_duplicates:
        pieces.append(
            Text(
                f"near-duplicates: the descriptions of {pair.first} and {pair.second} are alike "
                f"(cosine {pair.cosine:.2f}); a router will mix them up",
                style="yellow",
            )
        )
    bad = sum(not skill.valid for skill in report.skills)
    pieces.append(Text(f"{len(report.skills)} skill(s), {bad} invalid"))
    return Group(*pieces)


def error_lines(report: CheckReport) -> list[str]:
    """One line per problem of every invalid skill."""
    return [
        f"{skill.path}: {problem.message}" + (f" ({problem.remedy})" if problem.remedy else "")
        for skill in report.skills
        for problem in skill.problems
    ]


def _skill(skill: SkillReport) -> RenderableType:
    verdict = "[green]valid[/]" if skill.valid else f"[red]{len(skill.problems)} problem(s)[/]"
    title = f"[bold]{escape(skill.name or skill.path)}[/]  {verdict}"
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column()
    if skill.name is None:
        return Group(Text.from_markup(title), Text(""))
    grid.add_row("licence", Text(skill.license or "none named"))
    if skill.tokens is not None:
        share = skill.tokens.byte_share
        bytes_text = "" if share is None else f", {share:.0%} of the body are bytes"
        grid.add_row(
            "tokens",
            Text(
                f"description {skill.tokens.description}, body {skill.tokens.body}"
                f" ({skill.tokens.tokenizer}{bytes_text})"
            ),
        )
        if skill.tokens.note:
            grid.add_row("", Text(skill.tokens.note, style="yellow"))
    grid.add_row("weights", Text(_CARRY[skill.weights_carry]))
    for part in skill.parts:
        mark = Text("carried", style="green") if part.carried else Text("stays", style="yellow")
        grid.add_row(Text("  ").append_text(mark), Text(f"{part.what}: {part.detail}"))
    for advice in skill.advice:
        remedy = f"; {advice.remedy}" if advice.remedy else ""
        grid.add_row("advice", Text(f"{advice.message}{remedy}"))
    return Group(Text.from_markup(title), grid, Text(""))
