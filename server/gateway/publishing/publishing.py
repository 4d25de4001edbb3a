"""All that puts adapters on a running server, wired together.

    what is declared (`residency/`) <- stored versions (`publisher.py`), steps (`ephemeral.py`)
    what came in from outside (`intake.py`), who answers for an alias (`splits.py`)
    what outlives a gateway (`declared.py`), what an engine is brought to (`residency/reconcile.py`)

Owns the wiring, and finding again what a gateway before this one had declared. Refuses to own any
rule; each part has its own file.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from ....adapters.errors import NotFound
from ....adapters.store.store import Store
from ...engines.client import EngineClient
from ...state_file import ServerState
from ..models.catalog import Catalog
from ..residency.reconcile import Reconciler
from ..residency.residency import Residency
from ..residency.resident import engine_door
from ..residency.servable import Servable
from .declared import Declared, Document, stored_as, versions_of
from .ephemeral import Ephemeral
from .intake import Intake
from .own_base import OwnBase
from .publisher import Publisher
from .scratch import Scratch
from .splits import Splits
from .step_folders import StepFolders


class Publishing:
    """The parts.

    Args:
        store: None for a server without one.
        texts: names of the skill texts that are served.
        engines: those that are ready now.
    """

    def __init__(
        self,
        state: ServerState,
        *,
        store: Store | None,
        catalog: Catalog,
        texts: Collection[str],
        engines: Callable[[], Sequence[EngineClient]],
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._texts = texts
        self.base = OwnBase(state.family, folder=Path(state.base_label), store=store)
        self.residency = Residency(
            engines, policy=engine_door(state.max_lora_rank), base_of=self.base.of
        )
        self.scratch = Scratch(state.run_dir)
        folders = StepFolders(
            self.scratch,
            family=state.family,
            base_of=self.base.of,
            max_rank=lambda: self.residency.max_rank,
        )
        self.ephemeral = Ephemeral(self.residency, folders, taken=self.is_taken)
        self.splits = Splits(state.run_dir)
        self.declared = Declared(state.run_dir, now=self._document)
        self._found = self.declared.read()
        behind = {_key(text): numbers for text, numbers in self._found.behind.items()}
        self.publisher = Publisher(catalog, self.residency, self.splits, behind=behind)
        self.intake = Intake(
            store,
            base=self.base,
            ephemeral=self.ephemeral,
            residency=self.residency,
            run_dir=state.run_dir,
            stored=catalog.forget,
        )
        self.residency.on_change = self.declared.note
        self._reconciler = Reconciler(self.residency, known=self._known)
        self._recovered = False

    async def recover(self) -> None:
        """Declare again what the gateway before this one had; done once, before engines are met."""
        if self._recovered:
            return
        self._recovered = True
        for name in self._found.names:
            servable = await self._known(name)
            if servable is not None:
                self.residency.expect(servable)
        await self.ephemeral.recover(self._catalog.version_by_digest)

    async def restore(self, engine: EngineClient) -> None:
        """Bring an engine to the declared set.

        Raises:
            EngineError: it does not answer.
        """
        await self._reconciler.restore(engine)

    def is_taken(self, name: str) -> bool:
        """Whether a stored skill of this base, or a skill text, has a name. Blocks."""
        if name in self._texts:
            return True
        if self._store is None or self.base.family is None:
            return False
        try:
            return bool(self._store.versions(name, base=self.base.family))
        except NotFound:
            return False

    async def close(self) -> None:
        """Wait for unloads and files that were begun; steps stay for the next gateway."""
        await self.residency.settle()
        await self.declared.settle()

    async def _known(self, name: str) -> Servable | None:
        return await asyncio.to_thread(stored_as, name, self._catalog)

    def _document(self) -> Document:
        behind = {f"{name} {alias}": n for (name, alias), n in self.publisher.behind.items()}
        return Document(names=versions_of(self.residency.declared), behind=behind)


def _key(text: str) -> tuple[str, str]:
    """Neither an id nor an alias holds a space."""
    name, _, alias = text.partition(" ")
    return name, alias
