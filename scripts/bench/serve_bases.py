"""Bases and adapters of the bench `serve`: the shipped base, and a random one of 50M parameters.

Owns making them, once per run. Refuses to serve them.
"""

from dataclasses import dataclass
from pathlib import Path

from ...adapters import BaseIdentity, Card, Store, identify_base
from ...distill.tiny_base import tiny_base_path
from .random_base import random_adapter, random_base

HIDDEN, LAYERS, RANK = 768, 7, 8


@dataclass(frozen=True)
class Base:
    """A base on disk and a store for it."""

    path: Path
    identity: BaseIdentity
    store: Store
    work: Path

    def adapter(self, seed: int, *, rank: int = RANK) -> Path:
        """A random adapter on every projection, at `work`; another seed gives another one."""
        folder = self.work / f"adapter-{seed}-{rank}"
        return random_adapter(folder, self.identity.modules, rank=rank, seed=seed)

    def stored(self, name: str, seed: int, *, rank: int = RANK) -> str:
        """Store such an adapter; its reference."""
        card = Card(kind="skill", base=self.identity.for_card())
        folder = self.adapter(seed, rank=rank)
        return self.store.put(folder, card=card, name=name, base=self.identity).ref


def shipped(work: Path) -> Base:
    """The tiny base."""
    return _base(tiny_base_path(), work)


def fifty_million(work: Path) -> Base:
    """A random Qwen3 of hidden size 768 that reads the shipped vocabulary; float32, 200 MB."""
    folder = random_base(
        work / "base", hidden=HIDDEN, layers=LAYERS, wide=2048, key_heads=12, length=1024
    )
    return _base(folder, work)


def _base(path: Path, work: Path) -> Base:
    work.mkdir(parents=True, exist_ok=True)
    identity = identify_base(path, cache_dir=work / "hashes")
    return Base(path, identity, Store(work / "store"), work)
