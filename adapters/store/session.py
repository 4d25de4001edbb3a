"""What every change of a store has around it: locks, the schema, the file system, the markers.

Owns their order. Refuses to own the changes themselves (`store.py`).

    store's lock (shared; alone for gc and rm)
      schema brought up to date, imports that were decided carried through (by the caller)
      id's lock (alone)
        marker -> files -> index -> marker gone
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..errors import StoreError
from ..file_ops import FileOps
from ..names import AdapterId
from . import file_systems
from . import pending as store_pending
from . import schema as store_schema
from .index import Index
from .layout import Layout
from .quota import Need, require_room
from .schema import Quotas, StoreConfig
from .writes import locked, make_root, storing


@dataclass
class Session:
    """The way in for writers of one `Store`."""

    layout: Layout
    ops: FileOps
    index: Index
    read_only: bool = False
    _safe: bool = field(default=False, init=False)

    @contextmanager
    def writing(self, what: str, *, alone: bool = False) -> Iterator[StoreConfig]:
        """Hold the store's lock, with its schema up to date.

        Raises:
            StoreError: opened read-only, an unsafe file system, a newer schema, an unwilling disk.
        """
        if self.read_only:
            raise StoreError(
                f"{what}: {self.layout.root} was opened read-only; open it without read_only to "
                "change it"
            )
        with storing(what):
            self._require_safe()
            config = store_schema.read_config(self.layout) or self._migrated()
            with locked(self.layout.root / "lock", exclusive=alone):
                yield config

    @contextmanager
    def changing(self, adapter_id: AdapterId, family: str) -> Iterator[None]:
        """Hold the lock of one name while its files change; the index follows."""
        name = (adapter_id, family)
        with locked(self.layout.id_lock(adapter_id, family), exclusive=True):
            marker = store_pending.mark(self.layout, self.ops, name)
            try:
                yield
            finally:
                if self.index.follow([name]):
                    store_pending.unmark(self.ops, marker)

    @contextmanager
    def room(self, need: Callable[[], Need]) -> Iterator[Quotas]:
        """Hold writers apart while a quota is counted and used up; nothing where none is set.

        Yields:
            The quotas, read under the lock under which they are judged.

        Raises:
            StoreError: there is no room for what is needed; nothing was written yet.
        """
        quotas = self._quotas()
        if quotas.bytes is None and not quotas.namespaces:
            yield quotas
            return
        with locked(self.layout.root / "locks" / "quota", exclusive=True):
            quotas = self._quotas()
            require_room(self.layout, quotas, need())
            yield quotas

    def _quotas(self) -> Quotas:
        return (store_schema.read_config(self.layout) or StoreConfig()).quotas

    def _require_safe(self) -> None:
        """Once: the folder is there, and on a file system that keeps what we promise."""
        if not self._safe:
            make_root(self.ops, self.layout.root)
            file_systems.require_safe(self.layout.root)
            self._safe = True

    def _migrated(self) -> StoreConfig:
        with locked(self.layout.root / "lock", exclusive=True):
            make_root(self.ops, self.layout.root)
            found = store_schema.read_config(self.layout)
            return found or store_schema.migrate(self.layout, self.ops)
