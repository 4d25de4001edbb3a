"""Small drawings as SVG text: points with their intervals on one axis. Pure.

Owns: geometry and escaping. Horizontal positions are percentages, so a drawing fills whatever
width the page gives it while its letters keep their size: it reads the same on a phone. Colours
are CSS classes of the page (`plot-*`), so light and dark need no second drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_ROW_PX, _TOP_PX, _AXIS_PX = 48, 0, 26
"""Height of a row, room above the first row, room for the axis below the last."""


@dataclass(frozen=True, slots=True)
class Point:
    """One row of a plot, in the unit of the axis."""

    label: str
    value: float
    low: float
    high: float
    shown: str
    """The figure as text, at the right end of the row."""
    quiet: bool = False
    """Drawn in the muted colour: a control, not the method."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Ticks from left to right; the first and the last are the ends of the axis."""

    ticks: tuple[tuple[float, str], ...]
    zero: float | None = None
    """Where an upright reference line stands."""

    def x(self, value: float) -> str:
        """Position of a value, clipped to the axis, as a percentage of the drawing's width."""
        first, last = self.ticks[0][0], self.ticks[-1][0]
        inside = min(max(value, first), last)
        return f"{1.5 + 97 * (inside - first) / (last - first):.2f}%"


PERCENT = Axis(ticks=tuple((share / 100, f"{share} %") for share in (0, 25, 50, 75, 100)))
"""Shares between 0 and 1."""


def interval_plot(points: Sequence[Point], *, title: str, axis: Axis) -> Markup:
    """Draw points with their intervals, one a row, over one axis.

    Args:
        points: top to bottom.
        title: read out by screen readers, followed by every row's label and figure.
        axis: the ticks; values outside them are drawn at the end.

    Returns:
        An `<svg>` element; every text in it is escaped.
    """
    foot = _TOP_PX + _ROW_PX * len(points)
    described = "; ".join(f"{point.label}: {point.shown}" for point in points)
    parts = [
        f'<svg class="plot" role="img" width="100%" height="{foot + _AXIS_PX}" '
        f'aria-label="{escape(f"{title}. {described}")}">'
    ]
    parts += [_upright(axis.x(at), foot, kind="plot-grid") for at, _ in axis.ticks]
    if axis.zero is not None:
        parts.append(_upright(axis.x(axis.zero), foot, kind="plot-zero"))
    for number, (at, label) in enumerate(axis.ticks):
        anchor = {0: "start", len(axis.ticks) - 1: "end"}.get(number, "middle")
        edge = {"start": "0", "end": "100%"}.get(anchor, axis.x(at))
        parts.append(_text(label, x=edge, y=foot + 18, anchor=anchor, kind="plot-tick"))
    for number, point in enumerate(points):
        parts += _row(point, _TOP_PX + _ROW_PX * number, axis=axis)
    return Markup("".join(parts) + "</svg>")


def _row(point: Point, top_px: int, *, axis: Axis) -> list[str]:
    """A label and a figure above a line from `low` to `high` with a dot at `value`."""
    middle = top_px + 30
    kind = "plot-mark plot-quiet" if point.quiet else "plot-mark"
    low, high = axis.x(point.low), axis.x(point.high)
    return [
        _text(point.label, x="0", y=top_px + 17, anchor="start", kind="plot-label"),
        _text(point.shown, x="100%", y=top_px + 17, anchor="end", kind="plot-figure"),
        f'<g class="{kind}">'
        f'<line x1="{low}" x2="{high}" y1="{middle}" y2="{middle}"/>'
        f'<line x1="{low}" x2="{low}" y1="{middle - 5}" y2="{middle + 5}"/>'
        f'<line x1="{high}" x2="{high}" y1="{middle - 5}" y2="{middle + 5}"/>'
        f'<circle cx="{axis.x(point.value)}" cy="{middle}" r="5"/></g>',
    ]


def _upright(x: str, foot_px: int, *, kind: str) -> str:
    return f'<line class="{kind}" x1="{x}" x2="{x}" y1="{_TOP_PX}" y2="{foot_px}"/>'


def _text(text: str, *, x: str, y: int, anchor: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
