"""The file of the keys: one line of JSON each, for its owner's eyes, replaced in one step.

Any number of processes may read and change it; a change is whole or invisible. Owns making,
rotating and revoking. Refuses to own what a key is (`keys.py`) and following the file while serving
(`key_ring.py`).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from ....adapters.errors import Conflict, NotFound, StoreError, UsageError
from ....adapters.store.writes import locked, storing
from ...bearer import end_of
from .files import make_private_folder, replace_private
from .keys import STYLE, Key, Secret, Wish

MAX_GRACE_HOURS = 24.0 * 30


@dataclass(frozen=True)
class NewKey:
    """A key on the only occasion on which its token is known."""

    token: str
    key: Key


class KeyFile:
    """The keys of one or several servers."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> list[Key]:
        """Every key, oldest first; none where there is no file.

        Raises:
            StoreError: the file is damaged or may not be read.
        """
        try:
            return parse_keys(self.path.read_bytes())
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as err:
            raise StoreError(f"{self.path} cannot be read as keys: {_plain(err)}") from err

    def create(self, wish: Wish) -> NewKey:
        """Make a key.

        Raises:
            UsageError: a bad name, pattern or number. Conflict: the name has a valid key.
        """
        wish.check()
        now = datetime.now(UTC)
        expires_at = end_of(now, wish.days)
        minted = STYLE.mint()
        key = Key(
            id=minted.id,
            name=wish.name,
            team=wish.team,
            globs=wish.reach,
            admin=wish.admin,
            budget=wish.budget,
            limits=wish.limits,
            secrets=(Secret(sha256=minted.sha256),),
            created_at=_text(now),
            expires_at=expires_at,
        )

        def add(keys: list[Key]) -> list[Key]:
            if any(k.name == key.name and k.valid(now) for k in keys):
                raise Conflict(
                    f"{key.name!r} has a valid key; rotate or revoke it, or choose another name"
                )
            return [*keys, key]

        self._change(add)
        return NewKey(minted.text, key)

    def rotate(self, name: str, *, grace_hours: float = 0.0) -> NewKey:
        """Give the valid key of an id or name a new token; id, usage and budgets stay.

        Args:
            grace_hours: for so long the old token is accepted, too.

        Raises:
            NotFound, Conflict: as `find`. UsageError: a bad number.
        """
        if not 0 <= grace_hours <= MAX_GRACE_HOURS:
            raise UsageError(f"grace {grace_hours} hours: expected 0 to {MAX_GRACE_HOURS:g}")
        now = datetime.now(UTC)
        made: list[NewKey] = []

        def turn(keys: list[Key]) -> list[Key]:
            old = _valid(keys, name, now)
            minted = STYLE.mint(old.id)
            fresh = Secret(sha256=minted.sha256)
            kept = old.secrets[-1].model_copy(
                update={"ends_at": _text(now + timedelta(hours=grace_hours))}
            )
            new = old.model_copy(update={"secrets": (kept, fresh) if grace_hours else (fresh,)})
            made.append(NewKey(minted.text, new))
            return [new if key.id == old.id else key for key in keys]

        self._change(turn)
        return made[-1]

    def revoke(self, name: str) -> Key:
        """End the valid key of an id, or else of a name.

        Raises:
            NotFound: there is none.
        """
        now = datetime.now(UTC)
        ended: list[Key] = []

        def end(keys: list[Key]) -> list[Key]:
            old = _valid(keys, name, now)
            ended.append(old.model_copy(update={"revoked_at": _text(now)}))
            return [ended[-1] if key.id == old.id else key for key in keys]

        self._change(end)
        return ended[-1]

    def find(self, name: str) -> Key:
        """The key of an id, or else the newest of a name, valid or not.

        Raises:
            NotFound: there is none.
        """
        keys = self.all()
        found = [key for key in keys if key.id == name] or [k for k in keys if k.name == name]
        if not found:
            names = ", ".join(sorted({key.name for key in keys})) or "none"
            raise NotFound(f"no key {name!r}; there are: {names}")
        return found[-1]

    def _change(self, change: Callable[[list[Key]], list[Key]]) -> None:
        make_private_folder(self.path.parent)
        lock = self.path.with_name(f"{self.path.name}.lock")
        with storing(f"changing {self.path}"), locked(lock, exclusive=True):
            replace_private(self.path, dump_keys(change(self.all())))


def parse_keys(data: bytes) -> list[Key]:
    """The keys in the bytes of a file.

    Raises:
        ValueError: a line is no key, or two have one id.
    """
    keys = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            keys.append(Key.model_validate_json(line))
        except ValidationError as err:
            raise ValueError(f"line {number} is no key") from err
    if len({key.id for key in keys}) != len(keys):
        raise ValueError("two keys have one id")
    return keys


def dump_keys(keys: list[Key]) -> bytes:
    """The inverse of `parse_keys`."""
    return b"".join(json.dumps(k.model_dump(mode="json")).encode() + b"\n" for k in keys)


def _valid(keys: list[Key], name: str, now: datetime) -> Key:
    valid = [key for key in keys if key.valid(now)]
    found = [key for key in valid if key.id == name] or [key for key in valid if key.name == name]
    if not found:
        names = ", ".join(key.name for key in valid) or "none"
        raise NotFound(f"no valid key {name!r}; there are: {names}")
    return found[0]


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _plain(err: Exception) -> str:
    """What is wrong, without a piece of the file: there may be a token in it by mistake."""
    return str(err.strerror) if isinstance(err, OSError) else str(err)[:80]
