"""What can be said of a stored version without reading a tensor: size, rank, modules, relatives.

Owns the facts. Refuses to own how they are printed (`scripts/commands/show.py`).
"""

from dataclasses import dataclass

from ..peft_header import AdapterHeader, read_header_of
from ..store import Store
from ..store_types import Version
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
    """The tree of parents; the store is listed only where there are any."""
    digest = version.version_digest
    if not version.card.parents:
        return ancestors(digest, {digest: known(digest, version.ref, version.card)})
    return ancestors(digest, known_versions(store))


def children_of(store: Store, version: Version) -> Node:
    """The tree of what was made from a version."""
    return descendants(version.version_digest, known_versions(store))


def _parameters(header: AdapterHeader) -> int:
    return sum(
        module.rank * (module.shape[0] + module.shape[1]) for module in header.modules.values()
    )
