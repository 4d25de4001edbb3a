"""Which files of an adapter travel to a hub and back, and how they are known to be the same.

Going up: the artifact as it is, the evidence as `attestations/<n>.json`, a README.md, and
`skillweave.json` with both digests and the executable bits, which hubs do not keep. Coming down:
those of an artifact and no others, within the gate's limits, judged from the hub's list of files
before a byte of them is fetched; then copied as plain files into a private folder.

Owns these lists and checks. Refuses to own talking to a hub (`push.py`).
"""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..artifact import SKILL_FOLDER, artifact_digests
from ..card import CARD_FILE
from ..digests import canonical_json
from ..errors import AdapterRefused, Problem
from ..folders import is_executable, list_folder
from ..limits import DEFAULT_LIMITS, Limits
from ..peft_folder.header import CONFIG_FILE, WEIGHTS_FILE
from ..store.types import Version
from .types import PlannedFile

ATTESTATIONS = "attestations"
MANIFEST = "skillweave.json"
README = "README.md"
PATTERNS = (
    CONFIG_FILE,
    WEIGHTS_FILE,
    CARD_FILE,
    MANIFEST,
    f"{SKILL_FOLDER}/*",
    f"{ATTESTATIONS}/*.json",
)
"""What a pull asks for; `*` reaches into folders."""
LOCAL_EVIDENCE = frozenset({"provenance"})
"""Types of attestation that say where a store got something; they stay at home."""

_FORMAT = "skillweave.hub/1"
_CHUNK_BYTES = 1 << 20
Content = Path | bytes


@dataclass(frozen=True)
class RemoteFile:
    """A file of a revision, as the hub lists it: nothing of it is checked yet.

    `oid` is git's, `sha256` is known of what was uploaded by itself, `xet` is how the public hub's
    own transfer names it.
    """

    path: str
    size: int
    oid: str
    sha256: str | None = None
    xet: str | None = None


def files_to_push(
    version: Version, evidence: Sequence[Mapping[str, object]], readme: str
) -> dict[str, Content]:
    """Path in the repository -> what lies there after a push."""
    listing = list_folder(version.path)
    if listing.problems:
        raise AdapterRefused(listing.problems, version.ref)
    found: dict[str, Content] = {name: version.path / name for name in listing.files}
    runs = [n for n in listing.files if is_executable((version.path / n).lstat().st_mode)]
    manifest = {
        "format": _FORMAT,
        "version_digest": version.version_digest,
        "weights_digest": version.weights_digest,
        "executable": runs,
    }
    found[MANIFEST] = canonical_json(manifest) + b"\n"
    found[README] = readme.encode()
    told = [document for document in evidence if document.get("type") not in LOCAL_EVIDENCE]
    for number, document in enumerate(told, 1):
        found[f"{ATTESTATIONS}/{number}.json"] = canonical_json(dict(document))
    return dict(sorted(found.items()))


def changes(
    files: Mapping[str, Content], remote: Sequence[RemoteFile] | None
) -> tuple[PlannedFile, ...]:
    """What a push would do to each file; files of an artifact that it no longer has are deleted.

    Args:
        remote: what is there; None where the hub was not asked.
    """
    there = {file.path: file for file in remote or ()}
    planned = []
    for path, content in files.items():
        if remote is None:
            planned.append(PlannedFile(path, _size(content), "unknown"))
        elif path not in there:
            planned.append(PlannedFile(path, _size(content), "new"))
        else:
            same = _is(content, there[path])
            planned.append(PlannedFile(path, _size(content), "same" if same else "changed"))
    gone = [path for path in there if path not in files and belongs(path)]
    planned += [PlannedFile(path, there[path].size, "deleted") for path in gone]
    return tuple(sorted(planned, key=lambda file: file.path))


def belongs(path: str) -> bool:
    """Whether a path in a repository is one of an artifact, its evidence or its manifest."""
    top, slash, _ = path.partition("/")
    return path in PATTERNS or (bool(slash) and top in {SKILL_FOLDER, ATTESTATIONS})


def files_to_pull(
    remote: Sequence[RemoteFile], subject: str, limits: Limits = DEFAULT_LIMITS
) -> list[RemoteFile]:
    """The files of an artifact among those of a revision.

    Raises:
        AdapterRefused: there is no adapter at the top of the repository, a name leads out of the
            folder, or the sizes that the hub states are above the limits.
    """
    wanted = [f for f in remote if belongs(f.path) and not _ignored(f.path)]
    names = {file.path for file in remote}
    problems = []
    for name, code in ((CONFIG_FILE, "missing_config"), (WEIGHTS_FILE, "missing_weights")):
        if name not in names:
            problems.append(Problem(code, f"the repository has no {name}", _remedy(names)))
    odd = [f.path for f in wanted if _leads_out(f.path)]
    odd += sorted(path for path, times in Counter(f.path for f in wanted).items() if times > 1)
    if odd:
        text = f"{odd[0][:200]!a} is no relative path of plain names, listed once"
        problems.append(Problem("bad_name", text, "do not use this repository"))
    small = (CONFIG_FILE, CARD_FILE, MANIFEST)
    for file in wanted:
        is_small = file.path in small or file.path.startswith(f"{ATTESTATIONS}/")
        bound = limits.config_bytes if is_small else limits.tensors_bytes
        if file.size > bound:
            problems.append(_too_large(f"{file.path} has {file.size} bytes: at most {bound}"))
    total = sum(file.size for file in wanted)
    if total > limits.folder_bytes:
        problems.append(_too_large(f"{total} bytes in all: at most {limits.folder_bytes}"))
    if len(wanted) > limits.files:
        text = f"{len(wanted)} files: at most {limits.files}"
        problems.append(Problem("too_many_files", text, "keep only what belongs to it"))
    if problems:
        raise AdapterRefused(problems, subject)
    return wanted


def stage(snapshot: Path, target: Path, *, inside: Path, expected: Sequence[RemoteFile]) -> None:
    """Copy a hub client's snapshot, which is made of links, into a new folder of plain files.

    Args:
        target: made here, for this user alone.
        inside: the cache; a link that leads out of it is refused.
        expected: held against what was copied, by digest; empty offline.

    Raises:
        AdapterRefused: a link leads out of the cache, a file is no plain file, or its bytes are
            not those that the hub lists.
    """
    root = inside.resolve()
    listed = {file.path: file for file in expected}
    target.mkdir(mode=0o700, parents=True)
    for folder, _, names in os.walk(snapshot):
        for name in sorted(names):
            path = (Path(folder) / name).relative_to(snapshot).as_posix()
            if not belongs(path) or _leads_out(path):
                continue
            source = (Path(folder) / name).resolve()
            if not source.is_relative_to(root) or not source.is_file():
                text = f"{path!a} leads to {source}, which is not in the cache {root}"
                raise AdapterRefused([Problem("symlink", text, "clear the cache")], str(snapshot))
            copy = target / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(handle, "rb") as reader, copy.open("xb") as writer:
                shutil.copyfileobj(reader, writer, _CHUNK_BYTES)
            if path in listed and not _is(copy, listed[path]):
                text = f"{path!a} does not have the digest that the hub lists"
                raise AdapterRefused(
                    [Problem("damaged", text, "remove it from the cache and pull again")],
                    str(snapshot),
                )


def check_manifest(folder: Path, subject: str) -> str | None:
    """Give back the executable bits, and hold both digests against `skillweave.json`.

    Returns:
        The version digest that is stated and true; None where there is no manifest or no card.

    Raises:
        AdapterRefused: it cannot be read, or the files are not those that were pushed.
    """
    path = folder / MANIFEST
    if not path.is_file() or not (folder / CARD_FILE).is_file():
        return None
    remedy = "push the version again from a store, or pull an earlier revision"
    try:
        manifest = json.loads(path.read_bytes())
        stated = (str(manifest["version_digest"]), str(manifest["weights_digest"]))
        runs = {str(name) for name in manifest["executable"]}
    except (ValueError, KeyError, TypeError, RecursionError) as err:
        found = Problem("bad_manifest", f"{MANIFEST} cannot be read: {err}", remedy)
        raise AdapterRefused([found], subject) from err
    for name in list_folder(folder).files:
        if name in runs and name.startswith(f"{SKILL_FOLDER}/"):
            (folder / name).chmod(0o755)
    own = artifact_digests(folder)
    if (own.version, own.weights) != stated:
        text = (
            f"version {own.version} with weights {own.weights}, {MANIFEST} states version "
            f"{stated[0]} with weights {stated[1]}: files were changed on the hub"
        )
        raise AdapterRefused([Problem("digest_mismatch", text, remedy)], subject)
    return own.version


def read_evidence(folder: Path) -> list[dict[str, object]]:
    """The evidence that came along, in order; what is no JSON object is passed over."""
    found = []
    paths = (folder / ATTESTATIONS).glob("*.json")
    for path in sorted(paths, key=lambda p: (len(p.name), p.name)):
        try:
            document = json.loads(path.read_bytes())
            canonical_json(document)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            found.append(document)
    return found


def _is(content: Content, remote: RemoteFile) -> bool:
    if _size(content) != remote.size:
        return False
    plain = hashlib.sha256()
    git = hashlib.sha1(b"blob %d\0" % remote.size, usedforsecurity=False)
    if isinstance(content, bytes):
        plain.update(content)
        git.update(content)
    else:
        with content.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                plain.update(chunk)
                git.update(chunk)
    if remote.sha256 is not None:
        return plain.hexdigest() == remote.sha256
    return git.hexdigest() == remote.oid


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _leads_out(path: str) -> bool:
    parts = path.split("/")
    odd = any(p in {"", ".", ".."} or len(p.encode("utf-8", "replace")) > 255 for p in parts)
    return odd or "\\" in path or not path.isprintable()


def _ignored(path: str) -> bool:
    return path.startswith(f"{ATTESTATIONS}/") and not path.endswith(".json")


def _too_large(text: str) -> Problem:
    return Problem("too_large", text, "keep only what belongs to it")


def _remedy(names: set[str]) -> str:
    inner = sorted(n for n in names if n.endswith(f"/{CONFIG_FILE}"))
    if inner:
        return f"an adapter lies in {PurePosixPath(inner[0]).parent}; publish it at the top"
    pickled = [n for n in names if n.endswith(".bin")]
    return "save it again with safe_serialization=True" if pickled else "is this an adapter?"
