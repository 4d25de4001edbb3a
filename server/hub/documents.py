"""The documents that the hub keeps, and the git object ids that clients compare. Pure.

A commit is one immutable JSON document that holds the whole tree; its id is the first 40 digits of
its SHA-256. A file is known by the SHA-256 of its content and by the id that git would give it.
"""

import hashlib
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from ...adapters.digests import canonical_json

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Oid = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class TreeFile(_Strict):
    """One file of a revision."""

    sha256: Sha256
    """Of its content; names the blob."""
    size: Annotated[int, Field(ge=0)]
    """Bytes."""
    oid: Oid
    """What git would call it: of the content, or of the pointer where `lfs`."""
    lfs: bool
    """Whether it was uploaded by itself."""


Tree = dict[str, TreeFile]


class Commit(_Strict):
    """One revision of a repository."""

    parent: Oid | None
    """The revision before it."""
    title: str
    """First line of the message."""
    message: str
    """The rest of it."""
    author: str
    """Name of the token."""
    date: str
    """UTC, ISO 8601."""
    files: Tree
    """The whole tree."""
    card: dict[str, JsonValue]
    """What README.md says in its YAML block, without nested values."""


class RepoFacts(_Strict):
    """What is true of a repository as a whole."""

    id: str
    """`namespace/name` at the time of creation or the last move."""
    uid: str
    """Stays with it when it is moved."""
    private: bool
    """Whether only tokens of its namespace see it."""
    created_at: str
    """UTC, ISO 8601."""


class Ref(_Strict):
    """A branch or a tag."""

    commit: Oid
    """Where it points."""
    message: str = ""
    """Of a tag."""


def commit_id(commit: Commit) -> str:
    """The id of a commit: 40 digits of the SHA-256 of its document."""
    return hashlib.sha256(commit_bytes(commit)).hexdigest()[:40]


def commit_bytes(commit: Commit) -> bytes:
    """The document of a commit as it is kept."""
    return canonical_json(commit.model_dump(mode="json"))


def pointer_of(sha256: str, size: int) -> bytes:
    """The text that git keeps in place of a large file (git-lfs pointer, version 1)."""
    lines = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
    return lines.encode()


def git_oid(content: bytes) -> str:
    """The id that git gives to a blob."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def tree_oid(folder: str, files: Tree) -> str:
    """An id for a folder that changes when anything below it does (not git's own)."""
    inside = {
        p: f.oid for p, f in files.items() if PurePosixPath(folder) in PurePosixPath(p).parents
    }
    return hashlib.sha256(canonical_json([folder, inside])).hexdigest()[:40]
