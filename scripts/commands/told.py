"""One version laid out for people. Owns the page that `show` prints, and nothing else."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ...adapters import Version
from ...adapters.analysis.facts import Facts
from ...adapters.analysis.lineage import Node
from ...adapters.analysis.terminal import lineage_tree
from ...adapters.card import Card

_UNITS = ("bytes", "KB", "MB", "GB")
_BOOKKEEPING = frozenset({"type", "base", "split"})


def told(
    version: Version,
    facts: Facts,
    parents: Node,
    *,
    aliases: Sequence[str],
    attested: Sequence[Mapping[str, object]],
) -> RenderableType:
    """The page: what it is, parents as a tree, evidence as a table."""
    parts: list[RenderableType] = [_facts(version, facts, aliases)]
    if parents.relatives:
        parts += ["", "[bold]Made from[/bold]", lineage_tree(parents)]
    parts += ["", "[bold]Evidence[/bold]"]
    parts.append(_evidence(attested) if attested else "none: nothing was measured on it yet")
    return Group(*parts)


def size(num_bytes: float) -> str:
    """A number of bytes for people, in steps of 1000."""
    for unit in _UNITS[:-1]:
        if num_bytes < 1000:
            return f"{num_bytes:.0f} {unit}" if unit == "bytes" else f"{num_bytes:.1f} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:.1f} {_UNITS[-1]}"


def _facts(version: Version, facts: Facts, aliases: Sequence[str]) -> Table:
    card, base = version.card, version.card.base
    low, high = facts.ranks
    rank = f"{high}" if low == high else f"{low} to {high}"
    rows = (
        ("", f"{version.ref}  {card.kind}  {' '.join(f'@{a}' for a in aliases)}"),
        ("what", card.description or "no description"),
        (
            "base",
            f"{base.name or base.architecture} in {base.precision}, family "
            f"{base.family_digest[:12]}{', as somebody says' if base.asserted else ''}",
        ),
        (
            "weights",
            f"rank {rank}, {_count(len(facts.modules), 'module')} ({', '.join(facts.targets)}), "
            f"{facts.parameters:,} parameters, {', '.join(facts.dtypes)}",
        ),
        ("made by", _made_by(card)),
        ("licence", card.licence or "unknown"),
        ("version", f"{version.version_digest[:12]}, weights {version.weights_digest[:12]}"),
        ("since", version.created_at),
        ("files", f"{version.path} ({len(facts.files)} files, {size(facts.size_bytes)})"),
    )
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, Text(value, style="" if name else "bold"))
    return table


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _made_by(card: Card) -> str:
    if card.recipe is None:
        return "unknown: it was brought in"
    config = card.recipe.config
    error = config.get("error")
    parts = [card.recipe.name]
    if isinstance(expression := config.get("expression"), str):
        parts.append(expression)
    if isinstance(method := config.get("method"), dict):
        parts.append(f"by {method.get('type', '?')}")
    if isinstance(error, int | float):
        parts.append("nothing cut off" if error == 0 else f"relative error {error:.4g}")
    if card.seed is not None:
        parts.append(f"seed {card.seed}")
    return ", ".join(parts)


def _evidence(attested: Sequence[Mapping[str, object]]) -> Table:
    table = Table("what", "split", "figures", box=None, padding=(0, 2, 0, 0))
    for one in attested:
        figures = [f"{k} {_short(v)}" for k, v in one.items() if k not in _BOOKKEEPING]
        cells = (str(one.get("type", "?")), str(one.get("split", "")), ", ".join(figures))
        table.add_row(*map(Text, cells))  # no markup: the words are somebody else's
    return table


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{k} {_short(v)}" for k, v in value.items()) + ")"
    if isinstance(value, list):
        return f"{len(value)} values" if len(value) > 4 else str([_short(v) for v in value])
    return str(value)
