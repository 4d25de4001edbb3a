"""Versions leave a store as a bundle, one file that another store takes in whole.

Owns what goes into it: versions with their files and evidence, what is known of their bases, and,
where asked for, aliases and training rows. Refuses to own the format (`bundle.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pydantic import JsonValue

from ..artifact import artifact_digests, left_behind
from ..errors import StoreError
from ..file_ops import FileOps
from ..folders import folder_digests, list_folder
from . import names as store_names
from . import objects as store_objects
from .bundle import (
    MAX_EVIDENCE,
    MAX_MANIFEST_BYTES,
    MAX_VERSIONS,
    BundleBlob,
    BundleFile,
    BundleVersion,
    Manifest,
    manifest_bytes,
    write_chunks,
)
from .layout import Layout, temporary_beside
from .types import Version
from .writes import discarding


@dataclass(frozen=True)
class Exported:
    """What goes into a bundle: versions, with the aliases and rows that were asked for."""

    versions: Sequence[Version]
    aliases: bool = False
    rows: bool = False


def export(layout: Layout, ops: FileOps, wanted: Exported, file: Path) -> None:
    """Write a bundle.

    Raises:
        StoreError: `file` exists, or a version is damaged. NotFound: rows were not kept.
    """
    sources: dict[str, Path] = {}
    versions = sorted(
        {(str(v.id), v.base, v.number): v for v in wanted.versions}.items(),
        key=lambda pair: pair[0],
    )
    if len(versions) > MAX_VERSIONS:
        raise StoreError(f"{len(versions)} versions: a bundle holds at most {MAX_VERSIONS}")
    documents = [_document(layout, version, wanted.aliases, sources) for _, version in versions]
    bases, rows = {}, set()
    for _, version in versions:
        path = layout.base(version.base)
        if path.is_file():
            bases[version.base] = _source(path, sources)
        digest = version.card.data_digest
        if wanted.rows and digest is not None:
            store_objects.get_rows(layout, digest)
            rows.add(_source(layout.rows(digest), sources))
    manifest = Manifest(
        versions=tuple(documents),
        blobs=tuple(
            BundleBlob(sha256=sha256, size_bytes=sources[sha256].stat().st_size)
            for sha256 in sorted(sources)
        ),
        bases=bases,
        rows=tuple(sorted(rows)),
    )
    if len(manifest_bytes(manifest)) > MAX_MANIFEST_BYTES:
        raise StoreError(
            f"{len(versions)} versions with their evidence are too many for one bundle (a manifest "
            f"of at most {MAX_MANIFEST_BYTES} bytes); export fewer at a time"
        )
    if file.exists():
        raise StoreError(f"{file} exists; a bundle is never written over anything")
    temporary = temporary_beside(file)
    with discarding(ops, temporary):
        ops.write(temporary, write_chunks(manifest, sources))
        ops.rename(temporary, file)
        ops.sync_folder(file.parent)


def _document(
    layout: Layout, version: Version, with_aliases: bool, sources: dict[str, Path]
) -> BundleVersion:
    found = artifact_digests(version.path)
    if (found.version, found.weights) != (version.version_digest, version.weights_digest):
        raise StoreError(f"{version.path} is damaged: its files have other digests; run fsck")
    extra = {*left_behind(version.path)}
    files = [name for name in list_folder(version.path).files if name not in extra]
    digests = folder_digests(version.path, tuple(files))
    sources |= {digest.sha256: version.path / name for name, digest in digests.items()}
    evidence = store_objects.attestations(layout, version.version_digest)
    if len(evidence) > MAX_EVIDENCE:
        raise StoreError(
            f"{version.ref} has {len(evidence)} pieces of evidence: a bundle holds {MAX_EVIDENCE}"
        )
    aliases = store_names.read_aliases(layout, version.id, version.base) if with_aliases else {}
    return BundleVersion(
        id=str(version.id),
        base=version.base,
        number=version.number,
        created_at=version.created_at,
        version_digest=version.version_digest,
        weights_digest=version.weights_digest,
        files={
            name: BundleFile(sha256=digest.sha256, executable=digest.executable)
            for name, digest in sorted(digests.items())
        },
        aliases=tuple(sorted(a for a, number in aliases.items() if number == version.number)),
        attestations=tuple(cast("dict[str, JsonValue]", document) for document in evidence),
    )


def _source(path: Path, sources: dict[str, Path]) -> str:
    (digest,) = folder_digests(path.parent, (path.name,)).values()
    sources[digest.sha256] = path
    return digest.sha256
