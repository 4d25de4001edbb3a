"""The analysis as pictures: PNG or SVG. The one file that imports matplotlib, and only on use.

Owns layout and colours. Refuses to own numbers (`spectrum.py`, `similarity.py`, `lineage.py`). Uses
no window, no global state of matplotlib, and no clock: the same values give the same picture.
"""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Conflict, StoreError, UsageError
from ..file_ops import DiskOps
from .lineage import Node
from .terminal import label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .similarity import SimilarityMap
    from .spectrum import Spectrum

_SUFFIXES = (".png", ".svg")
_LINES = 12
_INK, _MUTED, _RED = "#1b3a5c", "#b8c4d0", "#b00020"


def check_plot_path(out: Path) -> None:
    """Refuse a file that cannot be drawn or is there already, before anything is computed.

    Raises:
        UsageError: neither .png nor .svg, or its folder does not exist. Conflict: it exists.
    """
    if out.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"--plot {out}: expected a file name that ends in .png or .svg")
    if not out.parent.is_dir():
        raise UsageError(f"--plot {out}: there is no folder {out.parent}")
    if os.path.lexists(out):
        raise Conflict(f"--plot {out} exists: a picture never overwrites; name a new file")


def draw_spectrum(found: "Spectrum", out: Path, *, title: str = "") -> None:
    """Singular values per module on the left, error against rank on the right.

    Raises:
        UsageError, Conflict, StoreError: as `check_plot_path`; the disk is unwilling.
    """
    figure = _figure(10, 4)
    left, right = figure.subplots(1, 2)
    loudest = sorted(found.modules, key=lambda name: -sum(s * s for s in found.modules[name]))
    for name in loudest[_LINES:]:
        values = found.modules[name]
        left.plot(_places(values), values, color=_MUTED, linewidth=0.6)
    for name in loudest[:_LINES]:
        values = found.modules[name]
        left.plot(_places(values), values, linewidth=1.2, label=name)
    left.set(xlabel="place", ylabel="singular value", title="Singular values per module")
    left.legend(fontsize=5)
    curve = found.error_curve()
    right.plot(range(len(curve)), curve, color=_INK, marker=".")
    right.axhline(0.1, color=_MUTED, linestyle="--")
    right.text(0, 0.11, "99 % of the squared norm kept", color=_INK, fontsize=7)
    right.set(xlabel="rank of every module", ylabel="relative error", ylim=(0, 1.05))
    right.set_title("Error against rank")
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(title)
    _save(figure, out)


def draw_similarity(found: "SimilarityMap", out: Path, *, title: str = "") -> None:
    """Cosines as a heat map in clustered order; red is opposite, blue is alike.

    Raises:
        UsageError, Conflict, StoreError: as `check_plot_path`; the disk is unwilling.
    """
    size = len(found.refs)
    side = min(24.0, 3.0 + 0.3 * size)
    figure = _figure(side + 1, side)
    axes = figure.subplots()
    image = axes.imshow(found.cosines, cmap="RdBu", vmin=-1, vmax=1)
    axes.set_xticks(range(size), found.refs, rotation=90, fontsize=6)
    axes.set_yticks(range(size), found.refs, fontsize=6)
    if size <= 12:
        for i, row in enumerate(found.cosines):
            for j, cosine in enumerate(row):
                ink = "white" if abs(cosine) > 0.6 else _INK
                axes.text(j, i, f"{cosine:.2f}", color=ink, ha="center", va="center", fontsize=6)
    figure.colorbar(image, ax=axes, label="cosine of the updates", shrink=0.8)
    axes.set_title(title)
    _save(figure, out)


def draw_lineage(node: Node, out: Path, *, title: str = "") -> None:
    """The tree from top to bottom, one line a version; missing ones in red.

    Raises:
        UsageError, Conflict, StoreError: as `check_plot_path`; the disk is unwilling.
    """
    lines = _placed(node, 0, [])
    figure = _figure(9, 1.2 + 0.32 * len(lines))
    axes = figure.subplots()
    last_at: dict[int, int] = {}
    for row, (depth, one) in enumerate(lines):
        if depth:
            left = depth - 0.94
            corner = ([left, left, depth - 0.05], [last_at[depth - 1] + 0.3, row, row])
            axes.plot(*corner, color=_MUTED)
        last_at[depth] = row
        axes.text(depth, row, label(one), va="center", fontsize=8, color=_ink(one))
    axes.set(xlim=(-1.2, max(depth for depth, _ in lines) + 6), ylim=(len(lines) - 0.4, -0.6))
    axes.set_axis_off()
    axes.set_title(title)
    _save(figure, out)


def _placed(node: Node, depth: int, lines: list[tuple[int, Node]]) -> list[tuple[int, Node]]:
    lines.append((depth, node))
    for relative in node.relatives:
        _placed(relative, depth + 1, lines)
    return lines


def _ink(node: Node) -> str:
    return _RED if node.missing else _INK


def _places(values: tuple[float, ...]) -> range:
    return range(1, len(values) + 1)


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure  # on use: nobody pays for it who does not draw

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: "Figure", out: Path) -> None:
    from matplotlib import rc_context

    check_plot_path(out)
    no_clock = {"Date": None} if out.suffix.lower() == ".svg" else {}
    drawn = io.BytesIO()
    with rc_context({"svg.hashsalt": "skillweave"}):
        figure.savefig(drawn, format=out.suffix[1:].lower(), dpi=150, metadata=no_clock)
    try:
        DiskOps().write(out, [drawn.getvalue()])
    except OSError as err:
        if not isinstance(err, FileExistsError):
            out.unlink(missing_ok=True)
        raise StoreError(f"writing {out} failed: {err}") from err
