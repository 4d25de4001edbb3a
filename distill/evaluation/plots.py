"""Arms and comparisons as SVG files: points with their intervals.

Owns which points there are and the style that a file of its own needs; the drawing is
`distill/report/svg.py`. Not exported by the package, because the report is built on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ..report.svg import PERCENT, Axis, Point, interval_plot
from .types import ArmSummary, Comparison

_STYLE = (
    "<style>svg{background:#fff;font:14px sans-serif}text{fill:#1b3a5c}"
    ".plot-grid{stroke:#e3e8ee}.plot-zero{stroke:#1b3a5c;stroke-dasharray:4 3}"
    ".plot-mark line{stroke:#1b3a5c;stroke-width:2}.plot-mark circle{fill:#1b3a5c}"
    ".plot-tick{fill:#5b6b7b;font-size:12px}</style>"
)
_POINTS = Axis(
    ticks=tuple((points / 100, f"{points:+d}") for points in (-100, -50, 0, 50, 100)),
    zero=0.0,
)


def arms_svg(arms: Sequence[ArmSummary]) -> str:
    """Shares passed with their intervals, one row an arm."""
    points = [Point(a.name, a.mean, *a.ci, shown=f"{100 * a.mean:.1f} %") for a in arms]
    return _file(interval_plot(points, title="Share of items passed", axis=PERCENT))


def comparisons_svg(comparisons: Sequence[Comparison]) -> str:
    """Differences in points with their intervals, one row a comparison."""
    points = [
        Point(f"{c.a} minus {c.b}", c.diff, *c.ci, shown=f"{100 * c.diff:+.1f} points")
        for c in comparisons
    ]
    return _file(interval_plot(points, title="Differences in points", axis=_POINTS))


def _file(drawing: Markup) -> str:
    """A drawing for a page as a file of its own, with its name space, a width and colours."""
    opened = str(drawing).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    opened = opened.replace('width="100%"', 'width="640"', 1)
    head, _, rest = opened.partition(">")
    return f"{head}>{_STYLE}{rest}\n"
