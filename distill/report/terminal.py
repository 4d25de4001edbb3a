"""A report on a terminal: the same figures, fewer of them, with rich.

Owns: which tables fit a terminal. Texts from outside are printed literally, never as markup.
Refuses to own: printing (the caller has the console).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from . import figures, prose
from .model import Report

_STYLE = {"met": "green", "missed": "bold red", "not measured": "yellow"}


def render_terminal(report: Report) -> Group:
    """What a run prints at its end: title, summary, bars, arms, differences, skills."""
    parts: list[RenderableType] = [
        Text(report.title, style="bold"),
        Text(prose.summary(report)),
    ]
    if report.bars:
        parts.append(_bars(report))
    if report.arms:
        parts.append(_arms(report))
    if report.comparisons:
        parts.append(_comparisons(report))
    if report.skills:
        parts.append(_skills(report))
    parts.append(_router(report))
    return Group(*(part for block in parts for part in (block, Text())))


def _bars(report: Report) -> Table:
    table = Table(title="Bars, written before the run", title_justify="left", box=None)
    for name in ("figure", "bar", "seen", ""):
        table.add_column(name)
    for bar in report.bars:
        mark = Text(bar.met, style=_STYLE[bar.met])
        table.add_row(Text(bar.figure), Text(bar.bar), Text(bar.seen or "-"), mark)
    return table


def _arms(report: Report) -> Table:
    return _figures(
        "Arms, share of items passed",
        ("arm", "passed %", "95 % interval", "items", "failed", "prompt tok.", "answer tok."),
        (
            (
                arm.name,
                figures.percent(arm.mean),
                figures.percent_interval(arm.ci),
                figures.count(arm.n),
                figures.count(arm.failures),
                figures.decimal(arm.prompt_tokens),
                figures.decimal(arm.completion_tokens),
            )
            for arm in report.arms
        ),
    )


def _comparisons(report: Report) -> Table:
    return _figures(
        "Differences, paired by item",
        ("comparison", "points", "95 % interval", "only first", "only second"),
        (
            (
                f"{c.a} {figures.MINUS} {c.b}",
                figures.points(c.diff),
                figures.points_interval(c.ci),
                figures.count(c.only_a),
                figures.count(c.only_b),
            )
            for c in report.comparisons
        ),
    )


def _skills(report: Report) -> Table:
    names = [arm.name for arm in report.arms]
    return _figures(
        "Skill by skill, share of items passed",
        ("skill", *names),
        (
            (
                row.skill,
                *(figures.percent(row.means[n]) if n in row.means else "-" for n in names),
            )
            for row in report.skills
        ),
    )


def _router(report: Report) -> Text:
    if report.router is None:
        return Text("auto: not measured")
    router = report.router
    line = (
        f"auto: {figures.percent(router.accuracy)} % to the right skill, abstained on "
        f"{figures.percent(router.abstained)} %"
    )
    if router.out_of_scope_abstained is not None:
        line += f" (outside every skill: {figures.percent(router.out_of_scope_abstained)} %)"
    return Text(line)


def _figures(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """First column left, numbers right."""
    table = Table(title=title, title_justify="left", box=None)
    for number, name in enumerate(header):
        table.add_column(Text(name), justify="right" if number else "left", no_wrap=not number)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
