"""A store with a few small adapters, quick to fill: what the tests of its parts stand on."""

from dataclasses import dataclass
from pathlib import Path

from skillweave.adapters.card import Card
from skillweave.adapters.file_ops import DiskOps
from skillweave.adapters.store.store import Store
from skillweave.adapters.store.types import Version
from skillweave.scripts.exams.store_jobs import Material, card


@dataclass(frozen=True)
class Shelf:
    """Puts adapters into the store below `root`; a seed is one version."""

    root: Path
    made: Material

    @property
    def store(self) -> Store:
        """A store object of its own, as another process would have."""
        return Store(self.root)

    def put(
        self,
        name: str,
        seed: int = 1,
        *,
        weights: int = 1,
        aliases: tuple[str, ...] = (),
        **changes: object,
    ) -> Version:
        """One more version; `changes` are fields of its card."""
        changed: Card = card(seed).model_copy(update={"skill_name": name} | changes)
        store = Store(self.root, ops=DiskOps(durable=False))
        return store.put(self.made.adapter(weights), card=changed, name=name, aliases=aliases)

    def tree(self) -> dict[str, object]:
        """Every path below the root, with what would change if somebody wrote."""
        return {
            str(path.relative_to(self.root)): (path.lstat().st_mtime_ns, path.lstat().st_size)
            for path in self.root.rglob("*")
        }
