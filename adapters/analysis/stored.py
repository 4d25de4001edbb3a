"""The similarity map of a store: reads adapters of one base, one after the other.

Owns which versions take part. Refuses to own the numbers (`algebra.gram`, `similarity.py`).
"""

from ..algebra import gram
from ..errors import NotFound, UsageError
from ..peft_io import read_peft
from ..store import Store
from ..store_types import Version
from .similarity import MAX_ADAPTERS, SimilarityMap, similarity_map


def stored_map(
    store: Store, *, base: str | None = None, include: Version | None = None
) -> SimilarityMap:
    """Cosines between the newest versions of all names of one base.

    Args:
        base: family digest or its first digits; None where the store has one base only.
        include: a version that takes part even if it is not the newest of its name.

    Raises:
        NotFound: there are no adapters. UsageError: several bases, or too many adapters.
    """
    newest = {str(version.id): version for version in store.list(base=base)}
    chosen = {version.ref: version for version in newest.values()}
    if include is not None:
        chosen[include.ref] = include
    families = sorted({version.base for version in chosen.values()})
    if not chosen:
        raise NotFound(f"{store.root} holds no adapters{f' of base {base}' if base else ''}")
    if len(families) > 1:
        told = ", ".join(family[:12] for family in families)
        raise UsageError(
            f"{store.root} holds adapters of {len(families)} bases ({told}), which cannot be "
            "compared: say --base with the first digits of one"
        )
    if len(chosen) > MAX_ADAPTERS:
        raise UsageError(f"{len(chosen)} adapters: a map holds at most {MAX_ADAPTERS}")
    versions = list(chosen.values())
    return similarity_map(
        [version.ref for version in versions], gram([read_peft(v.path) for v in versions])
    )
