"""What can be said of a stored version without reading a tensor: size, rank, modules, relatives.

Owns the facts. Refuses to own how they are printed (`scripts/commands/show.py`).
"""

from dataclasses import dataclass

from ..card import Parent
from ..errors import ModelStringError, NotFound
from ..peft_folder.header import AdapterHeader, read_header_of
from ..store.store import Store
from ..store.types import Version
from .lineage import Known, Node, ancestors, by_digest, descendants, known


@dataclass(frozen=True)
class Facts:
    """One version from its header and its files.

    `ranks` are the smallest and the largest rank of a module, `targets` the last parts of the
    modules' names, `dtypes` those of the factors, `size_bytes` all files of the version.
    """

    modules: tuple[str, ...]
    ranks: tuple[int, int]
    targets: tuple[str, ...]
    dtypes: tuple[str, ...]
    parameters: int
    size_bytes: int
    files: tuple[str, ...]


def facts(version: Version) -> Facts:
    """Read the header and list the files of a version.

    Raises:
        AdapterRefused: config or header are not sound. OSError: a file cannot be read.
    """
    header = read_header_of(version.path)
    ranks = [module.rank for module in header.modules.values()]
    files = sorted(file for file in version.path.rglob("*") if file.is_file())
    return Facts(
        modules=tuple(sorted(header.modules)),
        ranks=(min(ranks), max(ranks)),
        targets=tuple(sorted({name.rsplit(".", 1)[-1] for name in header.modules})),
        dtypes=tuple(sorted({t.dtype for m in header.modules.values() for t in (m.down, m.up)})),
        parameters=_parameters(header),
        size_bytes=sum(file.stat().st_size for file in files),
        files=tuple(str(file.relative_to(version.path)) for file in files),
    )


def known_versions(store: Store) -> dict[str, Known]:
    """Every version of a store by its digest, as far as lineage goes."""
    listed = store.list()
    return by_digest(known(v.version_digest, v.ref, v.card) for v in listed)


def parents_of(store: Store, version: Version) -> Node:
    """The tree of parents. Only they are looked up; the store is listed where one has moved."""
    found = {version.version_digest: known(version.version_digest, version.ref, version.card)}
    waiting = [*version.card.parents]
    while waiting:
        parent = waiting.pop()
        if parent.version_digest in found:
            continue
        seen = _where_it_was(store, parent, version.base)
        if seen is None:
            return ancestors(version.version_digest, known_versions(store))
        found[seen.version_digest] = known(seen.version_digest, seen.ref, seen.card)
        waiting += seen.card.parents
    return ancestors(version.version_digest, found)


def children_of(store: Store, version: Version) -> Node:
    """The tree of what was made from a version."""
    return descendants(version.version_digest, known_versions(store))


def _where_it_was(store: Store, parent: Parent, base: str) -> Version | None:
    try:
        seen = store.resolve(parent.ref, base=base)
    except (NotFound, ModelStringError):
        return None
    return seen if seen.version_digest == parent.version_digest else None


def _parameters(header: AdapterHeader) -> int:
    return sum(
        module.rank * (module.shape[0] + module.shape[1]) for module in header.modules.values()
    )
