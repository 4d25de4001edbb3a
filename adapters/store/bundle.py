"""A bundle: some versions of a store in one file, and nothing that could reach out of it.

    skillweave-bundle 1 <bytes of the manifest>\\n
    <manifest: canonical JSON>\\n
    <the blobs, one after the other, in the manifest's order>

The manifest names every version, its files by digest, its evidence, and every blob by digest and
size. There are no links, no paths but checked ones, no compression, nothing between or behind: the
sizes add up to the file's own before a byte of content is read. The same versions give the same
bytes. Owns the format. Refuses to own what comes and goes
(`exporting.py`, `importing.py`).

Codes: bad_bundle newer_bundle truncated_bundle unsafe_name too_large wrong_digest
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from ..artifact import SKILL_FOLDER
from ..card import CARD_FILE, Digest
from ..digests import canonical_json
from ..errors import AdapterRefused, Problem
from ..limits import DEFAULT_LIMITS, GiB, Limits, MiB
from ..peft_folder.header import CONFIG_FILE, WEIGHTS_FILE
from .types import Moment, Number

MAX_MANIFEST_BYTES = 8 * MiB
"""Some 10 000 versions of three files; read before anything is judged."""
MAX_VERSIONS = 10_000
MAX_EVIDENCE = 1_000
"""Pieces of evidence about one version; their bytes are bounded by the manifest's."""
MAX_UNPACKED_BYTES = 256 * GiB
"""All files of all versions together, each counted for every version that has it."""
_MAGIC = b"skillweave-bundle "
_FORMAT = 1
_HEAD_BYTES = 64
_CHUNK_BYTES = MiB
_OWN = frozenset({CONFIG_FILE, WEIGHTS_FILE, CARD_FILE})
_AGAIN = "get the bundle again, or export it again"


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class BundleFile(_Strict):
    """One file of a version."""

    sha256: Digest
    """Which blob."""
    executable: bool = False
    """Whether its owner may run it."""


class BundleVersion(_Strict):
    """One version."""

    id: str
    """`[namespace/]name`."""
    base: Digest
    """Family digest."""
    number: Number
    """Its number where it came from; it gets a new one."""
    created_at: Moment
    """UTC, ISO 8601."""
    version_digest: Digest
    """Kept."""
    weights_digest: Digest
    """Kept."""
    files: dict[str, BundleFile]
    """Config, weights, card, and `skill/...`."""
    aliases: tuple[str, ...] = ()
    """What meant it, where they were exported."""
    attestations: tuple[dict[str, JsonValue], ...] = Field(default=(), max_length=MAX_EVIDENCE)
    """Evidence, oldest first."""


class BundleBlob(_Strict):
    """Some bytes."""

    sha256: Digest
    """Their digest."""
    size_bytes: int = Field(ge=0)
    """How many."""


class Manifest(_Strict):
    """What a bundle holds."""

    format: Literal[1] = 1
    """Version of this format."""
    versions: tuple[BundleVersion, ...] = Field(min_length=1, max_length=MAX_VERSIONS)
    """In order of id, base and number; a parent before what was made from it counts as any."""
    blobs: tuple[BundleBlob, ...]
    """In the order of their bytes, each once."""
    bases: dict[Digest, Digest] = Field(default_factory=dict)
    """Family digest -> blob with the identity, for checking names and shapes."""
    rows: tuple[Digest, ...] = ()
    """Training rows; their digest is their blob."""


def manifest_bytes(manifest: Manifest) -> bytes:
    """The one spelling of a manifest."""
    return canonical_json(manifest.model_dump(mode="json"))


def write_chunks(manifest: Manifest, sources: Mapping[str, Path]) -> Iterator[bytes]:
    """The bytes of a bundle.

    Args:
        sources: blob digest -> the file that holds it.
    """
    document = manifest_bytes(manifest)
    yield _MAGIC + f"{_FORMAT} {len(document)}\n".encode()
    yield document + b"\n"
    for blob in manifest.blobs:
        with sources[blob.sha256].open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk


@dataclass(frozen=True)
class OpenBundle:
    """A bundle whose manifest was judged; its blobs are judged as they are read."""

    path: Path
    manifest: Manifest
    file: BinaryIO

    def blobs(self) -> Iterator[tuple[BundleBlob, Iterator[bytes]]]:
        """Every blob with its bytes, in order; each must be read to its end before the next.

        Raises:
            AdapterRefused: bytes without their digest, or too few.
        """
        for blob in self.manifest.blobs:
            yield blob, self._bytes_of(blob)

    def _bytes_of(self, blob: BundleBlob) -> Iterator[bytes]:
        digest, left = hashlib.sha256(), blob.size_bytes
        while left:
            chunk = self.file.read(min(left, _CHUNK_BYTES))
            if not chunk:
                raise refused(self.path, "truncated_bundle", f"blob {blob.sha256} ends early")
            digest.update(chunk)
            left -= len(chunk)
            yield chunk
        if digest.hexdigest() != blob.sha256:
            raise refused(self.path, "wrong_digest", f"blob {blob.sha256} has other bytes")


def open_bundle(
    path: Path,
    file: BinaryIO,
    limits: Limits = DEFAULT_LIMITS,
    *,
    max_unpacked_bytes: int = MAX_UNPACKED_BYTES,
) -> OpenBundle:
    """Read and judge the manifest; of the content only the size is known after.

    Args:
        path: for messages.
        file: at its beginning; seekable.
        max_unpacked_bytes: of all versions together.

    Raises:
        AdapterRefused: with a code of the module docstring.
    """
    size = file.seek(0, 2)
    file.seek(0)
    length, head = _read_head(path, file.readline(_HEAD_BYTES))
    if length > MAX_MANIFEST_BYTES:
        text = f"a manifest of {length} bytes: at most {MAX_MANIFEST_BYTES}"
        raise refused(path, "too_large", text)
    raw = file.read(length + 1)
    if len(raw) <= length or raw[-1:] != b"\n":
        raise refused(path, "truncated_bundle", "the manifest ends early")
    try:
        json.loads(raw, object_pairs_hook=_once)
        manifest = Manifest.model_validate_json(raw)
    except (ValidationError, ValueError, RecursionError) as err:
        raise refused(path, "bad_bundle", f"the manifest: {str(err)[:500]}") from err
    expected = head + length + 1 + sum(blob.size_bytes for blob in manifest.blobs)
    if size != expected:
        text = f"{size} bytes, the manifest adds up to {expected}"
        raise refused(path, "truncated_bundle" if size < expected else "bad_bundle", text)
    problems = [*_judge(manifest, limits, max_unpacked_bytes)]
    if problems:
        raise AdapterRefused(problems, str(path))
    return OpenBundle(path, manifest, file)


def refused(path: Path, code: str, text: str) -> AdapterRefused:
    """One finding as a refusal."""
    return AdapterRefused([Problem(code, text, _AGAIN)], str(path))


def _read_head(path: Path, line: bytes) -> tuple[int, int]:
    """Length of the manifest, and of the head itself."""
    words = line.removeprefix(_MAGIC).split()
    if not line.startswith(_MAGIC) or len(words) != 2 or not all(w.isdigit() for w in words):
        raise refused(path, "bad_bundle", f"begins with {line[:40]!r}: it is no bundle")
    if not line.endswith(b"\n"):
        raise refused(path, "truncated_bundle", "the first line ends early")
    if int(words[0]) != _FORMAT:
        text = f"format {int(words[0])}: this skillweave reads format {_FORMAT}"
        raise AdapterRefused([Problem("newer_bundle", text, "upgrade skillweave")], str(path))
    return int(words[1]), len(line)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object whose keys stand there once: two readers could believe different ones."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _judge(manifest: Manifest, limits: Limits, max_unpacked_bytes: int) -> Iterator[Problem]:
    sizes = {blob.sha256: blob.size_bytes for blob in manifest.blobs}
    if len(sizes) != len(manifest.blobs):
        yield Problem("bad_bundle", "a blob is listed twice", _AGAIN)
    wanted = {*manifest.rows, *manifest.bases.values()}
    unpacked, known = 0, dict[str, BundleVersion]()
    for version in manifest.versions:
        where = f"{version.id}@{version.number}"
        yield from _judge_names(where, version.files, limits)
        wanted |= {file.sha256 for file in version.files.values()}
        same = known.setdefault(version.version_digest, version)
        if (same.files, same.weights_digest) != (version.files, version.weights_digest):
            text = f"{where}: two versions of one digest have different files or weights"
            yield Problem("bad_bundle", text, _AGAIN)
        total = sum(sizes.get(file.sha256, 0) for file in version.files.values())
        unpacked += total
        if total > limits.folder_bytes:
            text = f"{where} has {total} bytes: at most {limits.folder_bytes}"
            yield Problem("too_large", text, "keep only what belongs to it")
    if unpacked > max_unpacked_bytes:
        text = f"unpacked {unpacked} bytes: at most {max_unpacked_bytes}"
        yield Problem("too_large", text, "export fewer versions at a time")
    if wanted != sizes.keys():
        text = f"{len(wanted ^ sizes.keys())} blob(s) are named and not there, or there for nothing"
        yield Problem("bad_bundle", text, _AGAIN)


def _judge_names(where: str, files: Mapping[str, BundleFile], limits: Limits) -> Iterator[Problem]:
    missing = _OWN - files.keys()
    if missing:
        yield Problem("bad_bundle", f"{where} lacks {', '.join(sorted(missing))}", _AGAIN)
    if len(files) > limits.files:
        text = f"{where} has {len(files)} files: at most {limits.files}"
        yield Problem("too_large", text, "keep only what belongs to it")
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents}
    for name in files:
        if not (name in _OWN or _is_skill_file(name)) or name in folders:
            text = f"{where} has a file {name[:200]!a}: no name inside an adapter's folder"
            yield Problem("unsafe_name", text, "do not use this bundle")


def _is_skill_file(name: str) -> bool:
    """Whether a name stays inside `skill/`, spelled in the one way."""
    top, *parts = name.split("/")
    plain = all(
        part not in ("", ".", "..")
        and "\0" not in part
        and len(part.encode("utf-8", "surrogatepass")) <= 255
        for part in parts
    )
    return top == SKILL_FOLDER and bool(parts) and plain and len(name) < 1024
