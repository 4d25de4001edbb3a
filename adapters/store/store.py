"""The store: where adapters live, under names that people use. Files are the truth.

Owns changes and the order of their steps, so that at any moment a process may die and nothing
half-written is ever listed: bytes first, then the object's name, then what makes it visible.
Refuses to own questions (`reading.py`), how files change (`writes.py`), what is around
a change (`session.py`), documents (`names.py`, `objects.py`), imports
(`importing.py`), proof and removal (`check.py`), judgement (`gate/policy.py`). Layout on disk:
`layout.py`.

Readers take no lock for references; who asks for a page may take that of the index. Writers share
one lock, `gc` and `remove` have it alone; the numbers and aliases of one id are changed under a
lock of their own.
"""

import contextlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import final

from ..artifact import skill_dir_of
from ..base.identity import BaseIdentity
from ..card import Card
from ..digests import canonical_json
from ..errors import Problem, StoreError
from ..file_ops import FileOps
from ..gate.policy import GatePolicy
from ..names import DEFAULT_ALIAS, AdapterId, validate_alias, validate_version
from . import check as store_check
from . import importing as store_import
from . import names as store_names
from . import objects as store_objects
from . import pending as store_pending
from .importing import Door
from .quota import Need, need_of, require_room, rows_room
from .reading import StoreReading
from .schema import Quotas, StoreConfig, write_config
from .session import Session
from .types import Entry, GcReport, Version
from .writes import locked

_Versions = list[Version]
_Problems = list[Problem]
_Documents = list[dict[str, object]]


@final
class Store(StoreReading):
    """All adapters below one folder, which is made on the first write.

    Every method that writes raises `StoreError` where the disk is unwilling. Every `base` is a
    family digest (or eight and more first digits of it); None means the only base of the name.

    Args:
        root: the folder.
        ops: the file operations; by default the disk.
        read_only: nothing in the folder is made or changed, no lock taken; whatever would write
            raises `StoreError`. Lists from a good index, else from the files.

    Raises:
        StoreError: a newer skillweave wrote this store, or its `store.json` is damaged.
    """

    def __init__(self, root: Path, *, ops: FileOps | None = None, read_only: bool = False) -> None:
        super().__init__(root, ops=ops, read_only=read_only)
        self._session = Session(self._layout, self._ops, self._index, read_only)

    def put(
        self,
        adapter_dir: Path,
        *,
        card: Card,
        name: str,
        skill_dir: Path | None = None,
        aliases: tuple[str, ...] = (),
        base: BaseIdentity | None = None,
        accept_base: bool = False,
    ) -> Version:
        """Take in an adapter as a new version of `name`; the same artifact twice is one version.

        Args:
            adapter_dir: a PEFT folder, or an artifact (its skill folder is then taken along).
            card: becomes its `card.json`.
            name: `[namespace/]name`.
            skill_dir: the skill's folder, copied whole.
            aliases: moved to this version. The first version also gets `default`.
            base: the base to check names and shapes against; by default what the store remembers
                of the card's base family.
            accept_base: see `gate.check_adapter`.

        Raises:
            AdapterRefused: the gate found problems. InvalidName: a bad name or alias.
        """
        adapter_id = AdapterId.parse(name)
        wanted = [validate_alias(alias) for alias in aliases]
        checked = base or self._remembered(card)
        policy = GatePolicy(accept_base=accept_base)
        policy.require(adapter_dir, checked, card=card)
        skill = skill_dir or skill_dir_of(adapter_dir)
        family = card.base.family_digest
        with (
            self._writing(f"adding {name}"),
            self._session.room(
                lambda: need_of(
                    self._layout, adapter_id, adapter_dir, card, skill_dir=skill, base=base
                )
            ),
        ):
            older = frozenset(self._layout.numbers(adapter_id, family))
            digests, is_new = store_objects.put_object(
                self._layout,
                self._ops,
                adapter_dir,
                card=card,
                skill_dir=skill,
                base=checked,
                policy=policy,
            )
            if base is not None and base.family_digest == family:
                store_objects.remember_base(self._layout, self._ops, base)
            entry = Entry(
                version_digest=digests.version,
                weights_digest=digests.weights,
                created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            with self._session.changing(adapter_id, family):
                number = store_names.name_object(
                    self._layout,
                    self._ops,
                    adapter_id,
                    base=family,
                    entry=entry,
                    aliases=wanted,
                    others=older if is_new else frozenset(),
                )
        return self._reader.version(adapter_id, family, number)

    def rebuild_index(self) -> None:
        """Make the index anew from the files; `fsck` does not need it, a doubt may."""
        with self._writing("rebuilding the index"):
            try:
                self._index.rebuild()
            except sqlite3.Error as err:
                raise StoreError(f"rebuilding the index: {err}; the files are untouched") from err

    def tag(
        self,
        name: str,
        alias: str,
        number: int,
        *,
        base: str | None = None,
        expected: int | None = None,
    ) -> Version:
        """Point an alias at a version.

        Args:
            expected: where the alias must point now (0: nowhere yet); None does not ask.

        Raises:
            NotFound: no such name, base or version. InvalidName: a bad alias or number.
            Conflict: the alias is not where it was expected.
        """
        validate_alias(alias)
        validate_version(number)
        adapter_id, family = self._reader.locate(name, base)
        with self._writing(f"tagging {name}"), self._session.changing(adapter_id, family):
            store_names.set_alias(
                self._layout,
                self._ops,
                adapter_id,
                base=family,
                alias=alias,
                number=number,
                expected=expected,
            )
        return self._reader.version(adapter_id, family, number)

    def rollback(
        self, name: str, *, base: str | None = None, alias: str = DEFAULT_ALIAS
    ) -> Version:
        """Point an alias where it pointed before; twice goes back twice.

        Raises:
            NotFound: no such name, base or alias. Conflict: there is nothing to go back to.
        """
        validate_alias(alias)
        adapter_id, family = self._reader.locate(name, base)
        with self._writing(f"rolling back {name}"), self._session.changing(adapter_id, family):
            number = store_names.roll_back(
                self._layout, self._ops, adapter_id, base=family, alias=alias
            )
        return self._reader.version(adapter_id, family, number)

    def remove(self, name: str, number: int, *, base: str | None = None) -> None:
        """Take a version out of the listing; `gc` frees its bytes, its number stays used.

        Raises:
            NotFound: no such version. Conflict: an alias means it, and others remain.
        """
        adapter_id, family = self._reader.locate(name, base)
        with (
            self._writing(f"removing {name}@{number}", alone=True),
            self._session.changing(adapter_id, family),
        ):
            store_names.remove_entry(
                self._layout, self._ops, adapter_id, base=family, number=number
            )

    def gc(self, *, keep: Collection[str] = (), rows_min_age_s: float = 86_400.0) -> GcReport:
        """Free what nothing names; waits for writers. See `check.collect`."""
        if not self.root.is_dir():
            return GcReport((), 0)
        with self._writing("collecting garbage", alone=True):
            markers = store_pending.markers(self._layout)
            if markers and self._index.follow(store_pending.marked(markers)):
                for marker in markers:
                    store_pending.unmark(self._ops, marker)
            return store_check.collect(
                self._layout, self._ops, keep=keep, rows_min_age_s=rows_min_age_s
            )

    def fsck(self) -> _Problems:
        """Prove every file against its digest; empty when all is well.

        The index follows the files on the way; it is a cache, and no problem.
        """
        if not self.root.is_dir():
            return []
        if self.read_only:
            return store_check.fsck(self._layout)
        with self._writing("checking the store"):
            with contextlib.suppress(StoreError):  # the index's trouble is none of the files'
                self.list()
            return store_check.fsck(self._layout)

    def set_quotas(self, quotas: Quotas) -> None:
        """Say how much the store may hold; what is there already stays. Same as editing
        `store.json`.
        """
        with (
            self._writing("setting quotas") as config,
            locked(self.root / "locks" / "quota", exclusive=True),
        ):
            changed = config.model_copy(update={"quotas": quotas})
            write_config(self._layout, self._ops, changed)

    def import_bundle(
        self,
        file: Path,
        *,
        base: BaseIdentity | None = None,
        accept_base: bool = False,
        aliases: bool = False,
        trust_evidence: bool = False,
    ) -> _Versions:
        """Take in every version of a bundle through the gate, or none of them.

        Versions get new numbers and keep their digests; what is here already stays one version.

        Args:
            base: as for `put`; by default what this store, or else the bundle, knows of it.
            aliases: move the aliases that the bundle brings; else only `default` of new names.
            trust_evidence: take the evidence in it as if it were given here (a bundle of your
                own); else each piece is kept as `{"type": "imported", "evidence": ...}`.

        Raises:
            AdapterRefused: the bundle, or a version in it, is not sound.
        """
        door = Door(base, accept_base, aliases, trust_evidence)
        with self._writing(f"importing {file}"):
            placed = store_import.take_in(self._session, file, door)
        return [self._reader.version(*place) for place in placed]

    def attest(self, version_digest: str, evidence: Mapping[str, object]) -> int:
        """Append evidence about a version; returns its place in the list, from 1.

        Raises:
            NotFound: no such object. ValueError: the evidence is no JSON.
        """
        document = dict(evidence)
        with (
            self._writing("attesting"),
            self._session.room(lambda: Need(len(canonical_json(document)))),
        ):
            return store_objects.attest(self._layout, self._ops, version_digest, document)

    def put_rows(self, rows: Iterable[Mapping[str, object]]) -> str:
        """Keep training rows; returns the digest to write into the card.

        Raises:
            ValueError: a row is no JSON.
        """
        with (
            self._writing("keeping training rows"),
            self._session.room(lambda: Need(0)) as quotas,
        ):
            return store_objects.put_rows(
                self._layout,
                self._ops,
                rows,
                admit=lambda size: require_room(self._layout, quotas, Need(size)),
                most_bytes=rows_room(self._layout, quotas),
            )

    def _remembered(self, card: Card) -> BaseIdentity | None:
        """The shapes of the card's base; its precision is the card's business."""
        known = self.known_base(card.base.family_digest)
        return known and replace(known, precision=card.base.precision)

    @contextmanager
    def _writing(self, what: str, *, alone: bool = False) -> Iterator[StoreConfig]:
        """A change: the way in, with imports that were decided carried through first."""
        with self._session.writing(what, alone=alone) as config:
            store_import.finish(self._session)
            yield config
