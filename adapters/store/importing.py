"""Versions enter a store from a bundle: all of it, or nothing.

An import is unpacked beside the objects, judged by the gate and by its digests, and only then
written into the store: rows and objects first, which nobody sees, then one small file under
`imports/` that decides it. From there on it is carried through, by this process or by the next
writer after a crash. Evidence is kept as hearsay (type `imported`) unless the caller trusts it: it
could otherwise open a base, or choose the form in which an adapter is served. Owns these steps.
Refuses to own the format (`bundle.py`).
"""

import contextlib
import secrets
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from ..artifact import ArtifactDigests, artifact_digests
from ..base.identity import BaseIdentity
from ..card import CARD_FILE, Card, Digest, parse_card
from ..digests import canonical_json
from ..errors import InvalidName, StoreError
from ..file_ops import FileOps
from ..gate.policy import require_adapter
from ..names import AdapterId, validate_alias
from ..peft_folder.header import WEIGHTS_FILE
from . import names as store_names
from . import objects as store_objects
from .blobs import sha256_of
from .bundle import (
    BundleVersion,
    Manifest,
    OpenBundle,
    open_bundle,
    refused,
)
from .layout import Layout, children
from .objects import IMPORTED
from .quota import Need
from .session import Session
from .types import Entry
from .writes import make_folder, publish_file, staged_folder

Placed = tuple[AdapterId, str, int]
"""An id, a base family, and the number that an imported version got."""


class Naming(BaseModel):
    """One version of a decided import."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    id: str
    """`[namespace/]name`."""
    base: Digest
    """Family digest."""
    entry: Entry
    """What its number will mean."""
    aliases: tuple[str, ...] = ()
    """What shall point at it."""
    attestations: tuple[dict[str, JsonValue], ...] = ()
    """Evidence to append, where it is not there already."""


class Decision(BaseModel):
    """`imports/<token>.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    namings: tuple[Naming, ...]
    """All versions."""


@dataclass(frozen=True)
class Door:
    """How an import is judged: the base to hold it against (None: what the store or else the
    bundle knows of it), `accept_base` as in `gate.check_adapter`, and whether the evidence in it is
    taken at its word."""

    base: BaseIdentity | None = None
    accept_base: bool = False
    aliases: bool = False
    trust_evidence: bool = False


def take_in(session: Session, file: Path, door: Door) -> list[Placed]:
    """Import a bundle; the caller holds the store's lock.

    Raises:
        AdapterRefused: the bundle or a version in it is not sound; nothing was taken in.
    """
    layout, ops = session.layout, session.ops
    with contextlib.ExitStack() as stack:
        bundle = open_bundle(file, stack.enter_context(file.open("rb")))
        stack.enter_context(session.room(lambda: _need(layout, bundle.manifest)))
        unpacked = stack.enter_context(staged_folder(layout, ops, layout.object("new")))
        ops.make_folder(unpacked)
        for blob, chunks in bundle.blobs():
            ops.write(unpacked / blob.sha256, chunks)
        unpacking = _Unpacking(layout, ops, bundle, unpacked, door)
        folders: dict[str, Path] = {}
        namings = []
        for version in bundle.manifest.versions:
            folder = folders.get(version.version_digest)
            if folder is None:
                folder = stack.enter_context(staged_folder(layout, ops, layout.object("new")))
                unpacking.assemble(version, folder)
                folders[version.version_digest] = folder
            namings.append(unpacking.naming(version, folder))
        unpacking.judge_rows()
        unpacking.publish_rows()  # before the objects that name them
        for naming in {naming.entry.version_digest: naming for naming in namings}.values():
            unpacking.publish(folders[naming.entry.version_digest], naming)
        if door.base is not None:
            store_objects.remember_base(layout, ops, door.base)
        decision = Decision(namings=tuple(namings))
        path = layout.imports / f"{secrets.token_hex(8)}.json"
        publish_file(layout, ops, path, [canonical_json(decision.model_dump(mode="json"))])
        return _carry(session, decision, path)


def finish(session: Session) -> None:
    """Carry through what earlier writers had decided and not finished.

    Raises:
        StoreError: a decision is damaged.
    """
    for name in children(session.layout.imports):
        path = session.layout.imports / name
        try:
            decision = Decision.model_validate_json(path.read_bytes())
        except FileNotFoundError:  # carried through by somebody else
            continue
        except ValidationError as err:
            raise StoreError(f"{path} is damaged: {err}; delete it and import again") from err
        _carry(session, decision, path)


def _carry(session: Session, decision: Decision, path: Path) -> list[Placed]:
    """Name everything of a decided import; each step may have been done before."""
    layout, ops = session.layout, session.ops
    placed = []
    for naming in decision.namings:
        adapter_id, digest = AdapterId.parse(naming.id), naming.entry.version_digest
        with session.changing(adapter_id, naming.base):
            for evidence in naming.attestations:
                store_objects.attest_once(layout, ops, digest, evidence)
            number = store_names.name_object(
                layout,
                ops,
                adapter_id,
                base=naming.base,
                entry=naming.entry,
                aliases=naming.aliases,
            )
        placed.append((adapter_id, naming.base, number))
    with contextlib.suppress(FileNotFoundError):
        ops.unlink(path)
    ops.sync_folder(path.parent)
    return placed


def _need(layout: Layout, manifest: Manifest) -> Need:
    """What is kept after, unpacked: distinct weights once, all else of each distinct version."""
    sizes = {blob.sha256: blob.size_bytes for blob in manifest.blobs}
    new: dict[str, int] = {}
    by_namespace: Counter[str] = Counter()
    counted: set[tuple[str, str]] = set()
    total = sum(sizes[digest] for digest in manifest.rows if not layout.rows(digest).exists())
    for version in manifest.versions:
        namespace = version.id.partition("/")[0] if "/" in version.id else ""
        digest = version.version_digest
        unpacked = sum(sizes[file.sha256] for file in version.files.values())
        if (namespace, digest) not in counted:
            counted.add((namespace, digest))
            by_namespace[namespace] += unpacked
        total += sum(len(canonical_json(document)) for document in version.attestations)
        if not layout.object(digest).is_dir():
            weights = version.files[WEIGHTS_FILE].sha256
            new[digest] = unpacked - sizes[weights]
            if not layout.blob(weights).is_file():
                new[weights] = sizes[weights]
    return Need(total + sum(new.values()), dict(by_namespace))


def _hearsay(document: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Evidence as somebody else told it; nobody takes this form for evidence of ours."""
    return {"type": IMPORTED, "from": {"bundle": True}, "evidence": document}


@dataclass(frozen=True)
class _Unpacking:
    """The steps of one import."""

    layout: Layout
    ops: FileOps
    bundle: OpenBundle
    unpacked: Path
    door: Door

    def assemble(self, version: BundleVersion, folder: Path) -> None:
        """Lay out one version as an artifact nobody sees yet, and judge it."""
        where, adapter_id = self.bundle.path, self._named(version)[0]
        self._lay_out(version, folder)
        card = self._card(version, folder)
        require_adapter(folder, self._base_of(card), card=card, accept_base=self.door.accept_base)
        found = artifact_digests(folder)
        if (found.version, found.weights) != (version.version_digest, version.weights_digest):
            text = f"{adapter_id} has the digests {found.version} and {found.weights}, announced "
            text += f"are {version.version_digest} and {version.weights_digest}"
            raise refused(where, "wrong_digest", text)

    def naming(self, version: BundleVersion, folder: Path) -> Naming:
        """What an assembled version is to be called here."""
        where, (adapter_id, aliases) = self.bundle.path, self._named(version)
        card = self._card(version, folder)
        if card.base.family_digest != version.base:
            text = f"{adapter_id} is filed under base {version.base}, its card says "
            raise refused(where, "bad_bundle", text + card.base.family_digest)
        entry = Entry(
            version_digest=version.version_digest,
            weights_digest=version.weights_digest,
            created_at=version.created_at,
        )
        return Naming(
            id=version.id,
            base=version.base,
            entry=entry,
            aliases=aliases,
            attestations=tuple(
                document if self.door.trust_evidence else _hearsay(document)
                for document in version.attestations
            ),
        )

    def _named(self, version: BundleVersion) -> tuple[AdapterId, tuple[str, ...]]:
        try:
            aliases = tuple(map(validate_alias, version.aliases)) if self.door.aliases else ()
            return AdapterId.parse(version.id), aliases
        except InvalidName as err:
            raise refused(self.bundle.path, "unsafe_name", str(err)) from err

    def _card(self, version: BundleVersion, folder: Path) -> Card:
        try:
            return parse_card((folder / CARD_FILE).read_bytes())
        except (ValueError, RecursionError) as err:
            raise refused(self.bundle.path, "bad_card", f"{version.id}: {err}") from err

    def _lay_out(self, version: BundleVersion, folder: Path) -> None:
        folders = {(folder / name).parent for name in version.files}
        folders |= {p for f in folders for p in f.parents if p.is_relative_to(folder)}
        for path in sorted(folders):
            self.ops.make_folder(path)
        for name, file in version.files.items():
            source = self.unpacked / file.sha256
            if name == WEIGHTS_FILE:  # each once, however many versions have them
                self.ops.link(self._weights(source), folder / name)
            else:
                self.ops.copy(source, folder / name, executable=file.executable)
        for path in sorted(folders, reverse=True):
            self.ops.sync_folder(path)

    def _weights(self, source: Path) -> Path:
        """A blob as a file of an artifact is: read-only."""
        path = source.with_name(f"{source.name}.weights")
        if not path.exists():
            self.ops.copy(source, path, executable=False)
            self.ops.unlink(source)
            self.ops.link(path, source)
        return path

    def _base_of(self, card: Card) -> BaseIdentity | None:
        if self.door.base is not None:
            return self.door.base
        family = card.base.family_digest
        known = store_objects.known_base(self.layout, family)
        blob = self.bundle.manifest.bases.get(family)
        if known is None and blob is not None:
            try:
                known = BaseIdentity.from_json((self.unpacked / blob).read_bytes())
            except ValueError as err:
                raise refused(self.bundle.path, "bad_bundle", f"base {family}: {err}") from err
        return known and replace(known, precision=card.base.precision)

    def judge_rows(self) -> None:
        """Training rows must be rows."""
        for digest in self.bundle.manifest.rows:
            try:
                store_objects.parse_rows((self.unpacked / digest).read_bytes())
            except (ValueError, RecursionError) as err:
                text = f"training rows {digest}: {err}"
                raise refused(self.bundle.path, "bad_bundle", text) from err

    def publish(self, folder: Path, naming: Naming) -> None:
        """Give an artifact its place among the objects."""
        found = ArtifactDigests(naming.entry.weights_digest, naming.entry.version_digest)
        weights = sha256_of(folder / WEIGHTS_FILE)
        store_objects.publish_object(self.layout, self.ops, folder, found, weights=weights)

    def publish_rows(self) -> None:
        """Give training rows their place."""
        for digest in self.bundle.manifest.rows:
            path = self.layout.rows(digest)
            make_folder(self.ops, path.parent, below=self.layout.root)
            store_objects.keep_rows(self.ops, self.unpacked / digest, path, digest)
