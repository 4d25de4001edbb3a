"""What the store keeps by digest: artifacts, training rows, evidence, base identities.

Owns writing each of them once, whole, or not at all. Refuses to own names (`names.py`) and
removal (`check.py`).
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from ..artifact import ArtifactDigests, artifact_digests, write_artifact
from ..base.identity import BaseIdentity
from ..card import Card
from ..digests import canonical_json
from ..errors import NotFound, SkillweaveError, StoreError
from ..file_ops import FileOps, Hashing
from ..gate.policy import GatePolicy
from ..peft_folder.header import WEIGHTS_FILE
from .blobs import sha256_of, share
from .layout import Layout, numbered, temporary_beside
from .writes import (
    discarding,
    make_folder,
    publish_file,
    publish_folder,
    publish_numbered,
    staged_folder,
)

IMPORTED = "imported"
"""The type of evidence that came from elsewhere; what it says stands under `evidence`."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def put_object(
    layout: Layout,
    ops: FileOps,
    adapter_dir: Path,
    *,
    card: Card,
    skill_dir: Path | None,
    base: BaseIdentity | None,
    policy: GatePolicy,
) -> tuple[ArtifactDigests, bool]:
    """Store an artifact under its version digest; once, however often it is put.

    Returns:
        Its digests, and whether there was no such object before: then no entry that is older than
        this call names it (but in a store that lost the object; there it gets a second number).

    Args:
        base, policy: what the copy must pass before it gets its name; see `write_artifact`.

    Raises:
        AdapterRefused: the copy does not pass the gate.
        StoreError: an object of this name exists and its files do not have this digest.
        OSError: the disk is unwilling; nothing is left but unfinished work for `gc`.
    """
    with staged_folder(layout, ops, layout.object("new")) as staged:
        hashing = Hashing(ops)
        write_artifact(
            staged,
            adapter_dir,
            card=card,
            skill_dir=skill_dir,
            files=hashing,
            base=base,
            policy=policy,
        )
        digests = artifact_digests(staged)
        sha256 = hashing.sha256[staged / WEIGHTS_FILE]
        return digests, publish_object(layout, ops, staged, digests, weights=sha256)


def publish_object(
    layout: Layout, ops: FileOps, staged: Path, digests: ArtifactDigests, *, weights: str
) -> bool:
    """Give a finished, synced artifact its name; False where that is taken (the staged one stays).

    Args:
        staged: beside the objects.
        digests: of the artifact.
        weights: SHA-256 of its weights file.

    Raises:
        StoreError: an object of this name exists and its files do not have this digest.
    """
    path = layout.object(digests.version)
    if not path.exists():
        share(layout, ops, staged, weights)
    if publish_folder(ops, staged, path):
        return True
    if not _has_digests(path, digests):
        raise StoreError(
            f"{path} exists and is damaged; remove the versions that use it, run gc, and add "
            "this adapter again"
        )
    return False


def _has_digests(path: Path, digests: ArtifactDigests) -> bool:
    try:
        return artifact_digests(path) == digests
    except (SkillweaveError, OSError, ValueError):
        return False


def put_rows(
    layout: Layout,
    ops: FileOps,
    rows: Iterable[Mapping[str, object]],
    *,
    admit: Callable[[int], None] = lambda size_bytes: None,
    most_bytes: int | None = None,
) -> str:
    """Keep training rows under the digest of their canonical JSON lines; streams, holds one row.

    Args:
        admit: told the size before anything is kept; raises where there is no room.
        most_bytes: where to stop reading and to ask `admit`; None for no limit.

    Raises:
        ValueError: a row is no JSON.
    """
    digest = hashlib.sha256()

    def lines() -> Iterator[bytes]:
        size = 0
        for row in rows:
            line = canonical_json(dict(row)) + b"\n"
            size += len(line)
            if most_bytes is not None and size > most_bytes:
                admit(size)
            digest.update(line)
            yield line

    folder = layout.rows("new").parent
    make_folder(ops, folder, below=layout.root)
    temporary = temporary_beside(layout.rows("new"))
    with discarding(ops, temporary):
        ops.write(temporary, lines())
        path = layout.rows(digest.hexdigest())
        if not path.exists():
            admit(temporary.stat().st_size)
        keep_rows(ops, temporary, path, digest.hexdigest())
        return digest.hexdigest()


def keep_rows(ops: FileOps, temporary: Path, path: Path, digest: str) -> None:
    """Give synced rows their name; in the place of a file of that name with other bytes."""
    try:
        ops.link(temporary, path)
    except FileExistsError:  # the same rows are kept already, if they are
        if sha256_of(path) != digest:
            ops.rename(temporary, path)
    ops.sync_folder(path.parent)


def get_rows(layout: Layout, digest: str) -> list[dict[str, object]]:
    """The training rows of a digest.

    Raises:
        NotFound: they are not kept here.
        StoreError: the file does not have its digest.
    """
    path = layout.rows(checked_digest(digest, "rows"))
    try:
        data = path.read_bytes()
    except FileNotFoundError as err:
        raise NotFound(f"no training rows {digest} in {layout.root}; they were not kept") from err
    if hashlib.sha256(data).hexdigest() != digest:
        raise StoreError(f"{path} is damaged: its bytes do not have this digest")
    return parse_rows(data)


def parse_rows(data: bytes) -> list[dict[str, object]]:
    """Training rows from their lines.

    Raises:
        ValueError: a line is no JSON object.
    """
    rows = [json.loads(line) for line in data.split(b"\n") if line]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("a training row is a JSON object")
    return rows


def attest(
    layout: Layout, ops: FileOps, version_digest: str, evidence: Mapping[str, object]
) -> int:
    """Append evidence about a version; returns its place in the list, from 1.

    Raises:
        NotFound: no such object.
        ValueError: the evidence is no JSON.
    """
    if not layout.object(checked_digest(version_digest, "version")).is_dir():
        raise NotFound(f"no object {version_digest} in {layout.root}; add the adapter first")
    folder = layout.attestations(version_digest)
    first = max(numbered(folder, ".json"), default=0) + 1
    return publish_numbered(layout, ops, folder, first, canonical_json(dict(evidence)))


def attest_once(
    layout: Layout, ops: FileOps, version_digest: str, evidence: Mapping[str, object]
) -> None:
    """Append evidence that is not there yet; either way it is durable after.

    What is there at its word need not be told again by somebody else.
    """
    there = attestations(layout, version_digest)
    told = evidence.get("evidence") if evidence.get("type") == IMPORTED else None
    heard = [found.get("evidence") for found in there if found.get("type") == IMPORTED]
    if evidence not in there and (told is None or told not in (*there, *heard)):
        attest(layout, ops, version_digest, evidence)
        return
    folder = layout.attestations(version_digest)
    make_folder(ops, folder, below=layout.root)
    ops.sync_folder(folder)


def attestations(layout: Layout, version_digest: str) -> list[dict[str, object]]:
    """All evidence about a version, oldest first.

    Raises:
        StoreError: a file is no JSON object.
    """
    folder = layout.attestations(checked_digest(version_digest, "version"))
    found = []
    for number in numbered(folder, ".json"):
        path = folder / f"{number}.json"
        try:
            value = json.loads(path.read_bytes())
        except ValueError as err:
            raise StoreError(f"{path} is damaged: {err}; run fsck") from err
        if not isinstance(value, dict):
            raise StoreError(f"{path} is damaged: expected a JSON object; run fsck")
        found.append(value)
    return found


def remember_base(layout: Layout, ops: FileOps, base: BaseIdentity) -> None:
    """Keep a base's module shapes, so that later additions are checked without the base."""
    publish_file(layout, ops, layout.base(base.family_digest), [base.to_json()])


def known_base(layout: Layout, family_digest: str) -> BaseIdentity | None:
    """What we remember of a base.

    Raises:
        StoreError: the file is damaged.
    """
    path = layout.base(family_digest)
    try:
        return BaseIdentity.from_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as err:
        raise StoreError(f"{path} is damaged: {err}; delete it") from err


def checked_digest(text: str, what: str) -> str:
    """Return `text` if it can be a digest, so that no path is built from anything else.

    Raises:
        NotFound: it is not 64 lower-case hex digits.
    """
    if not _DIGEST.fullmatch(text):
        raise NotFound(f"{what} digest {text[:80]!r}: expected 64 lower-case hex digits")
    return text
