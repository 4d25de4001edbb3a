"""The analysis in a terminal: bars, a heat map, a tree. Values in, things that rich prints out.

Owns colours and widths. Refuses to own numbers (`spectrum.py`, `similarity.py`, `lineage.py`) and
files (`draw.py`).
"""

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from .lineage import Node

if TYPE_CHECKING:  # a look at one version needs no torch
    from .similarity import SimilarityMap
    from .spectrum import Spectrum

_BAR = 30
_ROWS = 16
_MAP = 24


def spectrum_bars(found: "Spectrum") -> RenderableType:
    """The error against rank as bars, and the modules that use most of it."""
    table = Table("rank", "error", "", title="Error when every module is cut to a rank", box=None)
    curve = found.error_curve()
    for rank in _sampled(len(curve) - 1):
        table.add_row(str(rank), f"{curve[rank]:.4f}", Text("█" * round(curve[rank] * _BAR)))
    told = (
        f"rank {found.rank_for(0.90)} keeps 90 % of the squared norm, rank {found.rank_for(0.99)} "
        f"keeps 99 %; norm {found.norm:.4g} over {len(found.modules)} modules"
    )
    return Group(table, told)


def heat_map(found: "SimilarityMap") -> RenderableType:
    """Cosines as coloured cells; only the first rows where there are many."""
    shown = found.refs[:_MAP]
    table = Table("", *(str(i) for i in range(1, len(shown) + 1)), box=None, padding=(0, 0))
    for i, ref in enumerate(shown):
        cells = [_cell(found.cosines[i][j]) for j in range(len(shown))]
        table.add_row(f"{i + 1} {ref} ", *cells)
    left = len(found.refs) - len(shown)
    note = f"... and {left} more: --plot FILE draws all, --json prints all" if left else ""
    return Group(table, note) if left else table


def lineage_tree(node: Node) -> Tree:
    """A tree of versions with their weights; missing ones in red."""
    tree = Tree(_label(node))
    for relative in node.relatives:
        tree.children.append(lineage_tree(relative))
    return tree


def label(node: Node) -> str:
    """One node in one line, without colours."""
    weight = "" if node.weight is None else f"{node.weight:+g} x "
    if node.missing:
        return f"{weight}{node.ref} (not in this store: {node.digest[:12]})"
    error = "" if not node.error else f", error {node.error:.4g}"
    made = f" by {node.method}" if node.method not in ("", node.kind) else ""
    return f"{weight}{node.ref} ({node.kind}{made}{error}){' ...' if node.cut else ''}"


def _label(node: Node) -> Text:
    return Text(label(node), style="red" if node.missing else "")


def _sampled(longest: int) -> list[int]:
    if longest <= _ROWS:
        return list(range(longest + 1))
    return sorted({round(i * longest / _ROWS) for i in range(_ROWS + 1)})


def _cell(cosine: float) -> Text:
    strength = round(abs(cosine) * 200)
    colour = f"rgb({strength},40,40)" if cosine < 0 else f"rgb(40,{40 + strength // 2},{strength})"
    return Text(f" {cosine:+.2f} ", style=f"white on {colour}")
