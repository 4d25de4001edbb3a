"""Figures of an experiment on layouts: layers of each arm, results by kind of request. Pure.

Owns which trail belongs to which arm: an arm that is named like a layout was read in it, any other
arm had no text.
"""

from collections.abc import Mapping, Sequence

from ..evaluation.types import Item, ItemResult
from .layers import Layers, layers_of
from .matched import Matched
from .reader import Count


def layers_by_arm(
    results: Sequence[ItemResult],
    items: Sequence[Item],
    said: Mapping[str, Matched],
    *,
    budget: int,
    count: Count,
) -> dict[str, Layers]:
    """The layers of every arm, in the order of the results.

    Args:
        said: cluster -> the document that its items are asked about.
        budget, count: those of the reader.
    """
    arms: dict[str, list[ItemResult]] = {}
    for result in results:
        arms.setdefault(result.arm, []).append(result)
    out = {}
    for name, rows in arms.items():
        trails = {
            item.id: said[item.family].trail(
                name if name in said[item.family].layouts else None,
                request_of(item),
                budget=budget,
                count=count,
            )
            for item in items
        }
        out[name] = layers_of(rows, trails)
    return out


def by_kind(
    results: Sequence[ItemResult], items: Sequence[Item], said: Mapping[str, Matched]
) -> dict[str, tuple[ItemResult, ...]]:
    """Results by what was asked (`meta["manipulation"]`), those of two sections apart."""
    kind_of = {}
    for item in items:
        across = len(said[item.family].topics(request_of(item))) > 1
        kind_of[item.id] = f"{item.meta['manipulation']}{' across sections' if across else ''}"
    kinds = dict.fromkeys(kind_of.values())
    return {kind: tuple(r for r in results if kind_of[r.item_id] == kind) for kind in kinds}


def request_of(item: Item) -> str:
    """What the user of an item writes."""
    return str(item.messages[-1]["content"])
