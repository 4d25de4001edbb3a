"""The values that the store hands out and the documents that it keeps. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ..card import Card, Digest
from ..names import MAX_VERSION, AdapterId

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")


def _moment(text: str) -> str:
    """A time with its offset in ISO 8601, as it was written.

    Raises:
        ValueError: it is none.
    """
    if not _MOMENT.fullmatch(text) or not text.isascii():
        raise ValueError(f"{text[:40]!a} is no time such as 2026-01-31T12:00:00+00:00")
    datetime.fromisoformat(text)
    return text


Moment = Annotated[str, AfterValidator(_moment)]
"""When something was made: ISO 8601, to the second or finer, with its offset from UTC."""

Number = Annotated[int, Field(ge=1, le=MAX_VERSION)]


@dataclass(frozen=True)
class Version:
    """One stored version of an adapter: immutable, found by id, base and number.

    `base` is the family digest, `objects` the store's folder of objects, `created_at` a UTC time in
    ISO 8601. The card is read when it is first asked for: a listing of thousands looks at few.
    """

    id: AdapterId
    base: str
    number: int
    version_digest: str
    weights_digest: str
    objects: Path
    created_at: str
    read_card: Callable[[], Card] = field(repr=False, compare=False)

    @cached_property
    def card(self) -> Card:
        """What was known on the day it was made.

        Raises:
            StoreError: the object is damaged.
        """
        return self.read_card()

    @cached_property
    def path(self) -> Path:
        """The folder `objects/<version_digest>` that PEFT and vLLM load as it is."""
        return self.objects / self.version_digest

    @property
    def ref(self) -> str:
        """How to ask for exactly this version: `[namespace/]name@number`."""
        return f"{self.id}@{self.number}"


class Entry(BaseModel):
    """`names/<id>/<base>/<n>.json`: which object a version number means."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    version_digest: Digest
    """Names the object."""
    weights_digest: Digest
    """Names what it computes."""
    created_at: Moment
    """UTC, ISO 8601."""


class AliasState(BaseModel):
    """`aliases/<id>/<base>/<alias>.json`: where an alias points, and where it pointed before."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    version: Number
    """Where it points."""
    history: tuple[Number, ...] = ()
    """Where it pointed before, oldest first; `rollback` goes back along it."""


@dataclass(frozen=True)
class Page:
    """Some versions in the order of a listing.

    `aliases` holds, version by version, the names that mean it; `next` is what to give as `after`
    for the page behind this one, None at the end.
    """

    versions: tuple[Version, ...]
    aliases: tuple[tuple[str, ...], ...]
    next: str | None


@dataclass(frozen=True)
class GcReport:
    """What `gc` removed, as paths relative to the store, and how many bytes that freed."""

    removed: tuple[str, ...]
    freed_bytes: int
