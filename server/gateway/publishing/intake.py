"""What comes into the store through the server: an uploaded adapter, a bundle, a promoted step.

Owns the way from bytes that have arrived to stored versions, through the gate. Refuses to own
reading requests (`uploads.py`), serving what was stored (`publisher.py`) and the store itself.
"""

import asyncio
import contextlib
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeVar

from ....adapters.card import CARD_FILE, Card, parse_card
from ....adapters.errors import AdapterRefused, Conflict, Problem, UsageError
from ....adapters.expr import Term
from ....adapters.folders import read_plain
from ....adapters.limits import DEFAULT_LIMITS
from ....adapters.names import AdapterId
from ....adapters.store.bundle import open_bundle
from ....adapters.store.store import Store
from ....adapters.store.types import Version
from ..errors import unknown_model
from ..residency.residency import Residency
from .ephemeral import Ephemeral
from .own_base import OwnBase
from .uploads import Receiver, Stream, save_stream

T = TypeVar("T")


class Intake:
    """The door of the store.

    Args:
        store: None for a server without one; then everything is refused.
        run_dir: where bytes lie while they are judged; None takes the system's place.
        stored: called when the store has changed.
    """

    def __init__(
        self,
        store: Store | None,
        *,
        base: OwnBase,
        ephemeral: Ephemeral,
        residency: Residency,
        run_dir: Path | None,
        stored: Callable[[], None],
    ) -> None:
        self._store = store
        self._base = base
        self._ephemeral = ephemeral
        self._residency = residency
        self._run_dir = run_dir
        self._stored = stored

    @contextlib.asynccontextmanager
    async def receiving(self, content_type: str) -> AsyncIterator[Receiver]:
        """Takes the files of one adapter; they are gone when the body ends.

        Raises:
            RequestRefused: no multipart form.
        """
        with self._place() as folder:
            yield Receiver(folder / "adapter", content_type=content_type)

    async def store_adapter(self, came: Receiver, name: str) -> Version:
        """Store what came as a new version of `name`; the same artifact twice is one version.

        Raises:
            InvalidName: no adapter can be called so. Conflict: a run has the name.
            AdapterRefused: the gate's refusal. StoreError: the disk is unwilling.
        """
        self._require_free(name)

        def put() -> Version:
            upload = came.finish()
            base = self._base.need()
            label = base.for_card(asserted=True)
            card = own_card(upload.folder) or Card(kind="skill", base=label, skill_name=name)
            return self._need_store().put(upload.folder, card=card, name=name, base=base)

        version = await asyncio.to_thread(_without_path, put)
        self._stored()
        return version

    async def store_bundle(self, request: Stream) -> list[Version]:
        """Store every version of a bundle, or none; evidence in it is kept as hearsay.

        Raises:
            RequestRefused: too large. NoRoom: the disk is full. Conflict: a run has a name in it.
            AdapterRefused: the bundle or a version in it is not sound.
        """
        store = self._need_store()
        with self._place() as folder:
            file = folder / f"{secrets.token_hex(8)}.bundle"
            await save_stream(request, file)
            for name in await asyncio.to_thread(_without_path, lambda: _names_in(file)):
                self._require_free(name)
            versions = await asyncio.to_thread(
                _without_path, lambda: store.import_bundle(file, base=self._base.need())
            )
        self._stored()
        return versions

    async def promote(self, term: Term, name: str) -> Version:
        """Store a published step of a run as a new version of `name`.

        Raises:
            NotFound: no such step (any more). Conflict: a run has the name.
            AdapterRefused: the gate's refusal. StoreError: the disk is unwilling.
        """
        self._require_free(name)
        step = self._ephemeral.steps.find(term)
        if step is None:
            raise unknown_model(term.ref)

        def put() -> Version:
            base = self._base.need()
            given = own_card(step.servable.path)
            words = f"step {step.number} of run {step.run}"
            card = given or Card(kind="policy", base=base.for_card(), description=words)
            return self._need_store().put(step.servable.path, card=card, name=name, base=base)

        async with self._residency.hold(step.servable):  # its files stay meanwhile
            version = await asyncio.to_thread(_without_path, put)
        self._stored()
        return version

    def _require_free(self, name: str) -> None:
        AdapterId.parse(name)
        if name in self._ephemeral:
            raise Conflict(
                f"{name!r} is the name of a run that is published here: store under another name, "
                "or end the run first (POST /admin/end)"
            )

    def _need_store(self) -> Store:
        if self._store is None:
            raise UsageError(
                "this server has no store; start it with --store DIR and --base FOLDER"
            )
        return self._store

    @contextlib.contextmanager
    def _place(self) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix="upload-", dir=self._run_dir))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def own_card(folder: Path) -> Card | None:
    """The card that came with an adapter; None where none did.

    Raises:
        AdapterRefused: it is no card.
    """
    try:
        return parse_card(read_plain(folder / CARD_FILE, DEFAULT_LIMITS.config_bytes))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as err:
        text = f"{CARD_FILE}: {str(err)[:300]}"
        raise AdapterRefused(
            [Problem("bad_card", text, "leave it out, or write it again")]
        ) from err


def _names_in(file: Path) -> set[str]:
    with file.open("rb") as source:
        return {version.id for version in open_bundle(file, source).manifest.versions}


def _without_path(work: Callable[[], T]) -> T:
    """A refusal names the upload and not a folder of this machine, which its sender cannot see."""
    try:
        return work()
    except AdapterRefused as err:
        raise AdapterRefused(err.problems, subject="the upload") from err
