"""Tokens: who may see and change what. Only a hash of a token is kept.

`tokens/<id>.json` below the hub's root. A token is `swh_<id>_<secret>`. Owns keeping, finding and
revoking. Refuses to own how tokens are made and compared (`../bearer.py`) and what a request needs
(`access.py`).
"""

import contextlib
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...adapters.digests import canonical_json
from ...adapters.errors import Conflict, NotFound, StoreError, UsageError
from ...adapters.store.writes import discarding
from ..bearer import ID, NO_HASH, Style, end_of, is_valid, same_secret
from .disk import OPS, children, locked, make_folder, publish_file, replace_file, temporary_beside
from .errors import Refusal, invalid_token
from .names import check_namespace

_STYLE = Style("swh_", "_")
_GLOB = re.compile(r"[A-Za-z0-9._*?-]{1,64}")


class Token(BaseModel):
    """What is kept of a token."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
    """Part of the token; no secret."""
    name: str
    """Who has it; author of commits, and the namespace of a repository named without one."""
    sha256: str
    """Of the secret."""
    write: bool
    """Whether it may change anything."""
    namespaces: tuple[str, ...]
    """Patterns (`*`, `?`) of the namespaces that it reaches."""
    created_at: str
    """UTC, ISO 8601."""
    expires_at: str | None = None
    """UTC, ISO 8601; None for never."""
    revoked_at: str | None = None
    """UTC, ISO 8601; None while it is valid."""

    def covers(self, namespace: str) -> bool:
        """Whether the token reaches a namespace."""
        return any(fnmatchcase(namespace, pattern) for pattern in self.namespaces)

    def valid(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return is_valid(now, expires_at=self.expires_at, revoked_at=self.revoked_at)


@dataclass(frozen=True)
class NewToken:
    """A token on the only occasion on which all of it is known."""

    text: str
    token: Token


class Tokens:
    """The tokens of one hub."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / "tokens"

    def create(
        self,
        name: str,
        *,
        write: bool = False,
        namespaces: Sequence[str] = (),
        days: float | None = None,
    ) -> NewToken:
        """Make a token.

        Args:
            name: who gets it; one valid token has a name at a time.
            write: it may create, change and delete.
            namespaces: patterns of what it reaches; by default the namespace of its own name.
            days: until it expires; None for never.

        Raises:
            UsageError: a bad name, pattern or number. Conflict: the name has a valid token.
        """
        try:
            check_namespace(name)
        except Refusal as err:
            raise UsageError(f"token {err.message}") from err
        for pattern in namespaces:
            if not _GLOB.fullmatch(pattern):
                raise UsageError(f"namespaces {pattern!r}: expected a pattern such as 'team-*'")
        now = datetime.now(UTC)
        expires_at = end_of(now, days)
        with locked(self._lock()):
            if any(t.name == name and t.valid(now) for t in self.all()):
                raise Conflict(f"{name!r} has a valid token; revoke it first, or choose another")
            minted = _STYLE.mint()
            token = Token(
                id=minted.id,
                name=name,
                sha256=minted.sha256,
                write=write,
                namespaces=tuple(namespaces) or (name,),
                created_at=now.isoformat(timespec="seconds"),
                expires_at=expires_at,
            )
            publish_file(self._root, self._file(token.id), _document(token))
        return NewToken(minted.text, token)

    def find(self, text: str) -> Token:
        """The token that a request carries.

        Raises:
            Refusal: 401; the same for a token that is unknown, wrong, expired or revoked.
        """
        read = _STYLE.read(text)
        token = self.by_id(read[0]) if read else None
        same = same_secret(token.sha256 if token else NO_HASH, read[1] if read else text)
        if token is None or not same or not token.valid(datetime.now(UTC)):
            raise invalid_token()
        return token

    def by_id(self, token_id: str) -> Token | None:
        """One token by its public part, valid or not; None too where it cannot be one."""
        if not ID.fullmatch(token_id):
            return None
        try:
            return Token.model_validate_json(self._file(token_id).read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as err:
            raise StoreError(f"{self._file(token_id)} is damaged; delete it") from err

    def all(self) -> list[Token]:
        """Every token, oldest first."""
        stems = [n.removesuffix(".json") for n in children(self._folder) if n.endswith(".json")]
        found = [token for stem in stems if (token := self.by_id(stem))]
        return sorted(found, key=lambda token: (token.created_at, token.name))

    def revoke(self, name: str) -> Token:
        """End the valid token of an id, or else of a name, at once.

        Raises:
            NotFound: there is none. Conflict: several have the name; nothing was ended.
        """
        now = datetime.now(UTC)
        with locked(self._lock()):
            valid = [token for token in self.all() if token.valid(now)]
            found = [token for token in valid if token.id == name]
            found = found or [token for token in valid if token.name == name]
            if len(found) > 1:
                ids = ", ".join(token.id for token in found)
                raise Conflict(f"{len(found)} valid tokens are named {name!r}; give an id: {ids}")
            if not found:
                names = ", ".join(token.name for token in valid) or "none"
                raise NotFound(f"no valid token {name!r}; there are: {names}")
            ended = found[0].model_copy(update={"revoked_at": now.isoformat(timespec="seconds")})
            replace_file(self._root, self._file(ended.id), _document(ended))
        return ended

    def _file(self, token_id: str) -> Path:
        return self._folder / f"{token_id}.json"

    def _lock(self) -> Path:
        make_folder(self._root, self._folder)
        return self._folder.parent / "tokens.lock"


def make_root(root: Path) -> Path:
    """Make the folder of a hub, for its owner alone.

    Raises:
        UsageError: it cannot be made, or holds something else.
    """
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        strange = [n for n in children(root) if n not in _OWN]
    except OSError as err:
        raise UsageError(f"--root {root}: {err}; choose a folder that this user may write") from err
    if strange:
        raise UsageError(
            f"--root {root} holds {strange[0]!r}, which is no part of a hub; choose an empty folder"
        )
    return root


def signing_key(root: Path) -> bytes:
    """The hub's own secret, made on first use and readable by its owner alone.

    Raises:
        StoreError: the file is there and does not hold a key.
    """
    path = root / "signing-key"
    if not path.exists():
        _make_key(path)
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise StoreError(
            f"{path} has {len(key)} bytes, expected {_KEY_BYTES}: delete it and start the hub "
            "again; a new key is made, and uploads that are on their way begin again"
        )
    return key


def _make_key(path: Path) -> None:
    """Write a whole key under a temporary name, then give it its name; the first writer wins."""
    temporary = temporary_beside(path)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with discarding(OPS, temporary):
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            OPS.link(temporary, path)
        OPS.sync_folder(path.parent)


_KEY_BYTES = 32
_OWN = frozenset({"repos", "incoming", "tokens", "tokens.lock", "lock", "locks", "signing-key"})


def _document(token: Token) -> bytes:
    return canonical_json(token.model_dump(mode="json"))
