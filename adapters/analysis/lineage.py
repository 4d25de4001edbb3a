"""What was made from what: the tree of parents above a version, and of what came out of it. Pure.

Owns the walk over cards. A parent that the store does not hold is shown as missing, never left
out. Refuses to own the store (the caller lists it) and showing (`terminal.py`, `draw.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..card import Card, Parent

Relation = Literal["parents", "children"]
"""Which relatives of a version a tree holds."""

MAX_NODES = 300
"""Nodes of one tree; a deep history that shares ancestors would otherwise repeat without end."""


@dataclass(frozen=True)
class Known:
    """One version of a store, as far as lineage goes."""

    digest: str
    ref: str
    kind: str
    method: str
    error: float | None
    parents: tuple[Parent, ...]


@dataclass(frozen=True)
class Node:
    """One version in a tree, or a parent that the store does not hold (`missing`).

    `weight` is its weight in what stands above it in the tree; None at the root. `cut` says that
    its own relatives are not shown, because the tree has `MAX_NODES` nodes already.
    """

    digest: str
    ref: str
    kind: str = ""
    method: str = ""
    error: float | None = None
    weight: float | None = None
    missing: bool = False
    cut: bool = False
    relatives: tuple["Node", ...] = field(default=())

    def document(self, relation: Relation = "parents") -> dict[str, object]:
        """The tree as JSON; `relation` is what this tree's relatives are, and the key they get."""
        return {
            "ref": self.ref,
            "version_digest": self.digest,
            "kind": self.kind,
            "method": self.method,
            "error": self.error,
            "weight": self.weight,
            "missing": self.missing,
            "cut": self.cut,
            relation: [node.document(relation) for node in self.relatives],
        }


def known(digest: str, ref: str, card: Card) -> Known:
    """What lineage needs of a version."""
    recipe = card.recipe
    error = recipe.config.get("error") if recipe else None
    method = recipe.config.get("method") if recipe else None
    return Known(
        digest=digest,
        ref=ref,
        kind=card.kind,
        method=_method(method) or (recipe.name if recipe else ""),
        error=float(error) if isinstance(error, int | float) else None,
        parents=card.parents,
    )


def ancestors(digest: str, versions: Mapping[str, Known]) -> Node:
    """The tree of parents of a version, down to those that have none."""
    return _Walk(versions, {d: v.parents for d, v in versions.items()}).node(digest, None, "")


def descendants(digest: str, versions: Mapping[str, Known]) -> Node:
    """The tree of what was made from a version, and from that in turn.

    A node's weight is that of the node above it in its making.
    """
    made: dict[str, tuple[Parent, ...]] = {}
    for child in versions.values():
        for parent in child.parents:
            one = Parent(version_digest=child.digest, weight=parent.weight, ref=child.ref)
            made[parent.version_digest] = (*made.get(parent.version_digest, ()), one)
    return _Walk(versions, made).node(digest, None, "")


def by_digest(found: Iterable[Known]) -> dict[str, Known]:
    """One entry per digest; a version under several names keeps the first."""
    out: dict[str, Known] = {}
    for one in found:
        out.setdefault(one.digest, one)
    return out


class _Walk:
    def __init__(
        self, versions: Mapping[str, Known], relatives: Mapping[str, tuple[Parent, ...]]
    ) -> None:
        self._versions = versions
        self._relatives = relatives
        self._left = MAX_NODES

    def node(self, digest: str, weight: float | None, ref: str) -> Node:
        self._left -= 1
        seen = self._versions.get(digest)
        if seen is None:
            return Node(digest, ref or digest[:12], weight=weight, missing=True)
        kin = self._relatives.get(digest, ())
        cut = self._left < len(kin)
        below = () if cut else tuple(self.node(k.version_digest, k.weight, k.ref) for k in kin)
        return Node(
            digest,
            seen.ref,
            seen.kind,
            seen.method,
            seen.error,
            weight,
            cut=cut,
            relatives=below,
        )


def _method(value: object) -> str:
    if isinstance(value, Mapping):  # the resolved settings of a method, named by `type`
        return str(value.get("type", ""))
    return value if isinstance(value, str) else ""
