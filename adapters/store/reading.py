"""The reading half of the store: what is there, and what a name means.

References, versions and evidence are read from the files without any lock; pages, lists and
searches may bring the index up to date, under the index's own lock.

Owns the questions. Refuses to own changes (`store.py`), the answers' way (`reader.py`,
`listing.py`) and the files' layout (`layout.py`).
"""

from collections.abc import Iterable
from pathlib import Path

from ..base.identity import BaseIdentity
from ..card import Parent
from ..errors import UsageError
from ..file_ops import DiskOps, FileOps
from . import exporting as store_export
from . import names as store_names
from . import objects as store_objects
from . import quota as store_quota
from .exporting import Exported
from .index import Index
from .index_questions import Filter
from .layout import Layout
from .listing import Listing
from .quota import Usage
from .reader import Reader
from .schema import StoreConfig, read_config
from .types import Page, Version
from .writes import storing

_Versions = list[Version]
_Documents = list[dict[str, object]]


class StoreReading:
    """The questions that a store answers; see `store.Store`, which people use.

    Every `base` is a family digest (or eight and more first digits of it); None means the only base
    of the name.
    """

    def __init__(self, root: Path, *, ops: FileOps | None = None, read_only: bool = False) -> None:
        self.root = root
        self.read_only = read_only
        self._layout = Layout(root)
        self._ops: FileOps = ops or DiskOps()
        self._reader = Reader(self._layout)
        self._index = Index(self._layout, self._reader.version, read_only=read_only)
        self._listing = Listing(self._layout, self._index, self._reader)
        read_config(self._layout)

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

        Every file is looked at (some 50 us a version), so changes made by hand count; `page` looks
        only at what changed through a store. A damaged version is left out and logged; `fsck`
        names it.
        """
        return self._listing.everything(base)

    def page(
        self,
        *,
        after: str | None = None,
        limit: int = 100,
        base: str | None = None,
        kind: str | None = None,
    ) -> Page:
        """Some versions, by name, base and number.

        Args:
            after: the `next` of the page before; None for the first.
            limit: how many, at least 1.
            base: a base family, or its first digits.
            kind: a kind of card.

        Raises:
            UsageError: `after` is none of ours, or `limit` is below 1.
        """
        if limit < 1:
            raise UsageError(f"a page of {limit}: expected at least 1")
        return self._listing.page(Filter(base, kind), after=after, limit=limit)

    def search(
        self, text: str, *, base: str | None = None, kind: str | None = None, limit: int = 20
    ) -> _Versions:
        """Versions whose id, skill name, description, kind, aliases or licence hold every word.

        A word may be the beginning of theirs; case and accents do not count. The best first, no
        words find nothing.
        """
        return self._listing.search(text, Filter(base, kind), limit=max(limit, 0))

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

    def get_rows(self, digest: str) -> _Documents:
        """The training rows of a digest.

        Raises:
            NotFound: they are not kept here.
        """
        return store_objects.get_rows(self._layout, digest)

    def known_base(self, family_digest: str) -> BaseIdentity | None:
        """What the store remembers of a base that adapters were checked against."""
        return store_objects.known_base(self._layout, family_digest)

    def missing_parents(self, version: Version) -> tuple[Parent, ...]:
        """The parents on a version's card whose object is not in this store."""
        return tuple(
            parent
            for parent in version.card.parents
            if not self._layout.object(parent.version_digest).is_dir()
        )

    def usage(self) -> Usage:
        """Bytes held, and allowed where a quota is set; counted from the files."""
        config = read_config(self._layout) or StoreConfig()
        return store_quota.usage(self._layout, config.quotas)

    def export_bundle(
        self,
        refs: Iterable[str],
        file: Path,
        *,
        base: str | None = None,
        aliases: bool = False,
        rows: bool = False,
    ) -> _Versions:
        """Write versions, with all that belongs to them, into one new file; same refs, same bytes.

        Args:
            refs: as for `resolve`.
            aliases: take along what means these versions.
            rows: take along the training rows that their cards name.
        Returns:
            The versions.

        Raises:
            NotFound: no such version, or its rows were not kept. StoreError: `file` exists, or a
            version is damaged.
        """
        versions = [self.resolve(ref, base=base) for ref in refs]
        if not versions:
            raise UsageError("a bundle of nothing: name at least one version")
        with storing(f"exporting to {file}"):
            wanted = Exported(versions, aliases=aliases, rows=rows)
            store_export.export(self._layout, self._ops, wanted, file)
        return versions

    def close(self) -> None:
        """Let go of the index's file; the next question opens it again. Needed before a fork."""
        self._index.close()
