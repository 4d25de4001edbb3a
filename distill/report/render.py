"""A report as one self-contained HTML page.

Owns: filling `report.html.jinja` and turning figures into drawings. The page loads nothing: CSS
and SVG are inline, there is no script, and every text from outside is escaped. Refuses to own:
figures (`build`) and words (`prose`).
"""

from __future__ import annotations

import math
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from . import figures, prose
from .model import BreakEven, CostBlock, CostRow, HarmRow, Report
from .svg import PERCENT, Axis, Point, interval_plot


def render_html(report: Report) -> str:
    """The whole page. Pure: the same report gives the same text."""
    return _template().render(
        report=report,
        summary=prose.summary(report),
        verdict=prose.verdict_line(report),
        arms_plot=_arms_plot(report),
        comparisons_plot=_comparisons_plot(report),
        cost_by_arm=_cost_by_arm(report.cost),
        break_even=_break_even_by_skill(report.cost),
        harm_groups=_harm_groups(report.harm or ()),
        num=figures,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader(__package__ or "", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja")


def _arms_plot(report: Report) -> Markup:
    if not report.arms:
        return Markup()
    best = max(arm.mean for arm in report.arms)
    points = [
        Point(
            label=arm.name,
            value=arm.mean,
            low=arm.ci[0],
            high=arm.ci[1],
            shown=f"{figures.percent(arm.mean)} ({figures.percent_interval(arm.ci)})",
            quiet=arm.mean < best / 2,
        )
        for arm in report.arms
    ]
    return interval_plot(points, title="Share of items passed, by arm", axis=PERCENT)


def _comparisons_plot(report: Report) -> Markup:
    if not report.comparisons:
        return Markup()
    points = [
        Point(
            label=f"{c.a} minus {c.b}",
            value=c.diff,
            low=c.ci[0],
            high=c.ci[1],
            shown=f"{figures.points(c.diff)} ({figures.points_interval(c.ci)})",
            quiet=c.ci[0] <= 0 <= c.ci[1],
        )
        for c in report.comparisons
    ]
    return interval_plot(
        points, title="Paired differences in points", axis=_difference_axis(report)
    )


def _difference_axis(report: Report) -> Axis:
    """From the lowest to the highest interval end, 0 included, in at most five even steps."""
    ends = [0.0, *(end for c in report.comparisons for end in (*c.ci, c.diff))]
    for step in (0.01, 0.02, 0.05, 0.1, 0.25, 0.5):
        first, last = math.floor(min(ends) / step), math.ceil(max(ends) / step)
        if last - first <= 5:
            break
    steps = range(first, max(last, first + 1) + 1)
    return Axis(ticks=tuple((n * step, _tick(n * step)) for n in steps), zero=0.0)


def _tick(difference: float) -> str:
    return figures.points(difference).removesuffix(".0")


def _cost_by_arm(cost: CostBlock | None) -> dict[str, dict[bool, CostRow]]:
    """Arm -> prefix cache on or off -> its row, arms in order of appearance."""
    table: dict[str, dict[bool, CostRow]] = {}
    for row in cost.rows if cost else ():
        table.setdefault(row.arm, {})[row.prefix_cache] = row
    return table


def _break_even_by_skill(cost: CostBlock | None) -> dict[str, dict[bool, BreakEven]]:
    """Skill -> prefix cache on or off -> its row, skills in order of appearance."""
    table: dict[str, dict[bool, BreakEven]] = {}
    for row in cost.break_even if cost else ():
        table.setdefault(row.skill, {})[row.prefix_cache] = row
    return table


def _harm_groups(rows: tuple[HarmRow, ...]) -> dict[str, list[HarmRow]]:
    """Rows by the items they speak of, in order of appearance."""
    groups: dict[str, list[HarmRow]] = {}
    for row in rows:
        groups.setdefault(row.on, []).append(row)
    return groups
