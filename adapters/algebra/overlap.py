"""How much two sparse grafts share. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from .element_graft import SparseDelta


@dataclass(frozen=True)
class Overlap:
    """`share = |A & B| / |A|`, and the same with B's places shuffled within each module."""

    share: float
    shuffled: float | None


def overlap(
    a: Mapping[str, SparseDelta],
    b: Mapping[str, SparseDelta],
    *,
    generator: torch.Generator | None = None,
) -> Overlap:
    """Which share of A's places B holds as well; not symmetric.

    Two random masks share `|B| / size` anyway: give a generator to see that reference, drawn once
    with as many places per module as B has.

    Args:
        generator: on the CPU; None leaves `shuffled` None.

    Raises:
        ValueError: A holds no place at all, or shapes differ under one name.

    Source: arXiv:2302.06600, overlap of task regions.
    """
    size_a = sum(len(graft.indices_K) for graft in a.values())
    if size_a == 0:
        raise ValueError("the first graft holds 0 places: expected at least one")
    shared, shuffled = 0, 0
    for name, graft in a.items():
        if name not in b:
            continue
        other = b[name]
        if graft.shape != other.shape:
            raise ValueError(f"module {name}: shapes {graft.shape} and {other.shape}: one base?")
        shared += int(torch.isin(graft.indices_K, other.indices_K).sum())
        if generator is not None:
            places = torch.randperm(graft.shape[0] * graft.shape[1], generator=generator)
            drawn = places[: len(other.indices_K)].to(graft.indices_K.device)
            shuffled += int(torch.isin(graft.indices_K, drawn).sum())
    return Overlap(shared / size_a, None if generator is None else shuffled / size_a)
