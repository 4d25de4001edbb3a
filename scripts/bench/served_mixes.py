"""What the served bench composes: adapters of several ranks on the shipped base, and the mixes.

Owns the fixed seeds, the mixes and the token rows. The adapters are random: that their answers make
no sense is no matter, that every one of them answers differently is what the controls need.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoTokenizer

from ...adapters import BaseIdentity, Card, Delta, Store, Version, identify_base, write_peft
from ...adapters.compose.compose import compose, keep
from ...distill.rendering import TokenRow
from ...distill.tiny_base import tiny_base_path

RANKS = {"a": 4, "b": 8, "c": 16}
STRENGTH = 0.05
"""Spread of the factors' entries, so that an adapter moves log-probabilities by some 0.5 nats."""

TEXTS = (
    "A note from the farm: please give the list b c d f for the barn.",
    "The list is g h j k l m. Move the first one to the end, then double each item.",
    "final: b | c | d | f",
)


@dataclass(frozen=True)
class Mix:
    """One composition: `terms` are what a reference adds up in the graph, None where only the
    composed adapter itself can be the reference (a mask has no sum).
    """

    name: str
    expression: str
    method: str = "linear"
    rank: int | None = None
    exact: bool = True


MIXES = (
    Mix("exact", "a*0.7+b*-0.3+c*0.5"),
    Mix("truncated", "a*0.7+b*-0.3+c*0.5", rank=8, exact=False),
    Mix("ties", "a+b+c*0.5", method="ties", rank=16, exact=False),
)


@dataclass(frozen=True)
class Kept:
    """A store with the adapters and one version per mix, and the largest rank in it."""

    store: Store
    base: Path
    terms: dict[str, Version]
    mixes: dict[str, Version]
    errors: dict[str, float]
    rank: int


def make_kept(folder: Path) -> Kept:
    """Make adapters and mixes below a new folder; the same on every machine but for rounding."""
    base = tiny_base_path()
    identity = identify_base(base, cache_dir=folder / "hashes")
    store = Store(folder / "store")
    terms = {
        name: _random_adapter(store, identity, folder / name, name=name, seed=seed, rank=rank)
        for seed, (name, rank) in enumerate(RANKS.items(), 1)
    }
    mixes, errors, ranks = {}, {}, [*RANKS.values()]
    for mix in MIXES:
        composed = compose(store, mix.expression, method=mix.method, rank=mix.rank)
        mixes[mix.name] = keep(store, composed, name=f"mix-{mix.name}")
        errors[mix.name] = composed.error
        ranks.append(composed.rank)
    return Kept(store, base, terms, mixes, errors, max(ranks))


def token_rows() -> list[TokenRow]:
    """The texts as ids of the shipped base; every token but the first counts."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_base_path())
    ids = [tuple(tokenizer(text)["input_ids"]) for text in TEXTS]
    return [TokenRow(row, (False, *[True] * (len(row) - 1))) for row in ids]


def _random_adapter(
    store: Store, base: BaseIdentity, folder: Path, *, name: str, seed: int, rank: int
) -> Version:
    generator = torch.Generator().manual_seed(seed)

    def factor(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * STRENGTH

    write_peft(
        {
            module: Delta(factor(rank, into), factor(out, rank), 2.0)
            for module, (out, into) in sorted(base.modules.items())
        },
        folder,
    )
    card = Card(kind="skill", base=base.for_card(name="skillweave-tiny"), licence="Apache-2.0")
    return store.put(folder, card=card, name=name, base=base)
