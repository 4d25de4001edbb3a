"""The store: where adapters live, under names that people use. Files are the truth.

Owns the order of the steps, so that at any moment a process may die and nothing half-written is
ever listed: bytes first, then the object's name, then the number, then the alias. Refuses to own
how files change (`store_writes.py`), documents (`store_names.py`, `store_objects.py`), proof and
removal (`store_check.py`), judgement (`gate.py`). Layout on disk: `store_layout.py`.

Readers take no lock. Writers share one lock, `gc` and `remove` have it alone; the numbers and
aliases of one id are changed under a lock of their own.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from . import store_check, store_names, store_objects
from .artifact import skill_dir_of
from .base import BaseIdentity
from .card import Card
from .errors import Problem
from .file_ops import DiskOps, FileOps
from .gate import require_adapter
from .names import DEFAULT_ALIAS, AdapterId, validate_alias, validate_version
from .store_layout import Layout
from .store_read import Reader
from .store_types import Entry, GcReport, Version
from .store_writes import locked, storing

_Versions = list[Version]
_Problems = list[Problem]
_Documents = list[dict[str, object]]


class Store:
    """All adapters below one folder, which is made on the first write.

    Every method that writes raises `StoreError` where the disk is unwilling. Every `base` is a
    family digest (or eight and more first digits of it); None means the only base of the name.

    Args:
        root: the folder.
        ops: the file operations; by default the disk.
    """

    def __init__(self, root: Path, *, ops: FileOps | None = None) -> None:
        self.root = root
        self._layout = Layout(root)
        self._ops: FileOps = ops or DiskOps()
        self._reader = Reader(self._layout)

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
        require_adapter(adapter_dir, checked, card=card, accept_base=accept_base)
        skill = skill_dir or skill_dir_of(adapter_dir)
        family = card.base.family_digest
        with self._writing(f"adding {name}"):
            digests = store_objects.put_object(
                self._layout, self._ops, adapter_dir, card=card, skill_dir=skill
            )
            if base is not None and base.family_digest == family:
                store_objects.remember_base(self._layout, self._ops, base)
            entry = Entry(
                version_digest=digests.version,
                weights_digest=digests.weights,
                created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            with self._id_locked(adapter_id, family):
                number = store_names.add_entry(
                    self._layout, self._ops, adapter_id, base=family, entry=entry
                )
                if DEFAULT_ALIAS not in self._layout.alias_names(adapter_id, family):
                    wanted.append(DEFAULT_ALIAS)
                for alias in wanted:
                    self._set_alias(adapter_id, family, alias, number)
        return self._reader.version(adapter_id, family, number)

    def resolve(self, ref: str, *, base: str | None = None) -> Version:
        """The version that `name`, `ns/name@2`, `name@prod` or `name@latest` means.

        Raises:
            NotFound: no such name, base, version or alias; the message says what exists.
            ModelStringError: `ref` does not parse.
            StoreError: the store is damaged here.
        """
        return self._reader.resolve(ref, base)

    def versions(self, name: str, *, base: str | None = None) -> _Versions:
        """All versions of a name, ascending.

        Raises:
            NotFound: no such name or base.
        """
        return [*self._reader.versions(*self._reader.locate(name, base))]

    def aliases(self, name: str, *, base: str | None = None) -> dict[str, int]:
        """Alias -> version number, without the computed `latest`.

        Raises:
            NotFound: no such name or base.
        """
        return store_names.read_aliases(self._layout, *self._reader.locate(name, base))

    def list(self, *, base: str | None = None) -> _Versions:
        """Every version of every name (for one base family), by name and number.

        A damaged version is left out and logged; `fsck` names it.
        """
        return [*self._reader.everything(base)]

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
        with self._writing(f"tagging {name}"), self._id_locked(adapter_id, family):
            self._set_alias(adapter_id, family, alias, number, expected=expected)
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
        with self._writing(f"rolling back {name}"), self._id_locked(adapter_id, family):
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
        with self._writing(f"removing {name}@{number}", alone=True):
            store_names.remove_entry(
                self._layout, self._ops, adapter_id, base=family, number=number
            )

    def gc(self, *, keep: Collection[str] = (), rows_min_age_s: float = 86_400.0) -> GcReport:
        """Free what nothing names; waits for writers. See `store_check.collect`."""
        if not self.root.is_dir():
            return GcReport((), 0)
        with self._writing("collecting garbage", alone=True):
            return store_check.collect(
                self._layout, self._ops, keep=keep, rows_min_age_s=rows_min_age_s
            )

    def fsck(self) -> _Problems:
        """Prove every file against its digest; empty when all is well."""
        if not self.root.is_dir():
            return []
        with self._writing("checking the store"):
            return store_check.fsck(self._layout)

    def attest(self, version_digest: str, evidence: Mapping[str, object]) -> int:
        """Append evidence about a version; returns its place in the list, from 1.

        Raises:
            NotFound: no such object. ValueError: the evidence is no JSON.
        """
        with self._writing("attesting"):
            return store_objects.attest(self._layout, self._ops, version_digest, evidence)

    def attestations(self, version_digest: str) -> _Documents:
        """All evidence about a version, oldest first."""
        return store_objects.attestations(self._layout, version_digest)

    def verified_precisions(self, version_digest: str) -> frozenset[str]:
        """Precisions that evidence of the form `{"type": "precision", "precision": "nf4",
        "verified": true, ...}` lists for a version; what `gate.check_adapter` takes as `verified`.
        """
        return frozenset(
            str(evidence["precision"])
            for evidence in self.attestations(version_digest)
            if evidence.get("type") == "precision"
            and evidence.get("verified") is True
            and "precision" in evidence
        )

    def put_rows(self, rows: Iterable[Mapping[str, object]]) -> str:
        """Keep training rows; returns the digest to write into the card.

        Raises:
            ValueError: a row is no JSON.
        """
        with self._writing("keeping training rows"):
            return store_objects.put_rows(self._layout, self._ops, rows)

    def get_rows(self, digest: str) -> _Documents:
        """The training rows of a digest.

        Raises:
            NotFound: they are not kept here.
        """
        return store_objects.get_rows(self._layout, digest)

    def known_base(self, family_digest: str) -> BaseIdentity | None:
        """What the store remembers of a base that adapters were checked against."""
        return store_objects.known_base(self._layout, family_digest)

    def _set_alias(
        self,
        adapter_id: AdapterId,
        family: str,
        alias: str,
        number: int,
        *,
        expected: int | None = None,
    ) -> None:
        store_names.set_alias(
            self._layout,
            self._ops,
            adapter_id,
            base=family,
            alias=alias,
            number=number,
            expected=expected,
        )

    def _remembered(self, card: Card) -> BaseIdentity | None:
        """The shapes of the card's base; its precision is the card's business."""
        known = self.known_base(card.base.family_digest)
        return known and replace(known, precision=card.base.precision)

    @contextmanager
    def _writing(self, what: str, *, alone: bool = False) -> Iterator[None]:
        with storing(what), locked(self.root / "lock", exclusive=alone):
            yield

    @contextmanager
    def _id_locked(self, adapter_id: AdapterId, family: str) -> Iterator[None]:
        with locked(self._layout.id_lock(adapter_id, family), exclusive=True):
            yield
