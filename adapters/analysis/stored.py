"""The similarity map of a store: reads adapters of one base, as many at once as memory allows.

Owns which versions take part and how many are held. Refuses to own the numbers (`algebra.gram`,
`similarity.py`).
"""

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor

from ..algebra import gram
from ..errors import NotFound, UsageError
from ..peft_folder.deltas import read_peft
from ..peft_folder.header import WEIGHTS_FILE
from ..store.store import Store
from ..store.types import Version
from .similarity import MAX_ADAPTERS, SimilarityMap, similarity_map

HELD_BYTES = 1 << 30
"""Adapters in memory at once; two groups of half as much are compared at a time."""


def stored_map(
    store: Store,
    *,
    base: str | None = None,
    include: Version | None = None,
    held_bytes: int = HELD_BYTES,
) -> SimilarityMap:
    """Cosines between the newest versions of all names of one base.

    Args:
        base: family digest or its first digits; None where the store has one base only.
        include: a version that takes part even if it is not the newest of its name.
        held_bytes: bound on the adapters in memory, as far as one pair fits.

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
    groups = _groups(versions, held_bytes // 2)
    return similarity_map([version.ref for version in versions], _gram(versions, groups))


def _gram(versions: Sequence[Version], groups: Sequence[Sequence[int]]) -> Tensor:
    """(N, N) inner products; every pair of groups is read together once."""
    out_NN = torch.zeros(len(versions), len(versions), dtype=torch.float64)
    pairs = [*combinations(groups, 2)] or [(groups[0], ())]
    for pair in pairs:
        here = [place for group in pair for place in group]
        deltas = [read_peft(versions[place].path) for place in here]
        out_NN[torch.tensor(here)[:, None], torch.tensor(here)] = gram(deltas).double().cpu()
    return out_NN


def _groups(versions: Sequence[Version], max_bytes: int) -> list[list[int]]:
    """Places of versions, in runs that fit; a version larger than that stands alone."""
    groups: list[list[int]] = []
    left = 0
    for place, version in enumerate(versions):
        size = (version.path / WEIGHTS_FILE).stat().st_size
        if not groups or size > left:
            groups.append([])
            left = max_bytes
        groups[-1].append(place)
        left -= size
    return groups
