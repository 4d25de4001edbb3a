"""What is declared outlives the gateway: stored versions in a small file, and what a name means.

The file lies in the folder of this server's run and goes with it; a gateway that is started again
reads it before it meets the engines. Steps of a run need no file: their folders are the truth
(`ephemeral.py`). Owns the file, and the way back from an engine-side name to a stored version.
Refuses to own the set itself (`residency/`).
"""

import asyncio
import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ....adapters.errors import InvalidName, NotFound
from ....adapters.names import AdapterId
from ..models.catalog import Catalog
from ..residency.servable import Servable, of_version

FILE = "declared.json"
VERSION = re.compile(r"(?P<id>.+)--v(?P<number>\d{1,9})--[0-9a-f]{12}")
log = logging.getLogger(__name__)


class Document(BaseModel):
    """The file: engine-side names of stored versions, and what lies behind each alias.

    `behind` maps `NAME ALIAS` to the numbers that a rollback would meet, oldest first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: tuple[str, ...] = ()
    behind: Mapping[str, tuple[int, ...]] = {}


class Declared:
    """Keeps the file.

    Args:
        run_dir: where it lies; None keeps nothing (tests).
        now: the document as it should be.
    """

    def __init__(self, run_dir: Path | None, *, now: Callable[[], Document]) -> None:
        self._path = run_dir / FILE if run_dir is not None else None
        self._now = now
        self._changed = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    def read(self) -> Document:
        """What a gateway before this one declared; nothing where there was none."""
        try:
            return Document() if self._path is None else _parse(self._path)
        except FileNotFoundError:
            return Document()

    def note(self) -> None:
        """The set has changed: write it soon. Changes close together are written once."""
        self._changed.set()
        if self._path is not None and self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def settle(self) -> None:
        """Wait for writes that were begun."""
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        assert self._path is not None
        try:
            while self._changed.is_set():
                self._changed.clear()
                text = self._now().model_dump_json(indent=1)
                await asyncio.to_thread(_replace, self._path, text)
        except OSError as err:
            log.warning("%s was not written: %s", self._path, err)
        finally:
            self._writing = None


def stored_as(name: str, catalog: Catalog) -> Servable | None:
    """The stored version that an engine-side name stands for; None where there is none (now)."""
    match = VERSION.fullmatch(name)
    if match is None:
        return None
    try:
        adapter_id = AdapterId.from_folder(match["id"])
        servable = of_version(catalog.version(f"{adapter_id}@{int(match['number'])}"))
    except (InvalidName, NotFound):
        return None
    return servable if servable.name == name else None


def versions_of(servables: Sequence[Servable]) -> tuple[str, ...]:
    """The names among these that stand for stored versions."""
    return tuple(each.name for each in servables if VERSION.fullmatch(each.name))


def _parse(path: Path) -> Document:
    try:
        return Document.model_validate_json(path.read_bytes())
    except ValidationError as err:
        log.warning("%s cannot be read, engines say what they hold: %s", path, err)
        return Document()


def _replace(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text)
    os.replace(part, path)
