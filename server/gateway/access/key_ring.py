"""The keys in memory: found in microseconds, and never more than a moment behind their file.

Owns looking at the file (at most once in `LOOK_S`, by its stamp) and finding a key by its token.
Refuses to own the file's format (`key_file.py`) and who may do what (`door.py`).
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ....adapters.errors import StoreError
from ...bearer import NO_HASH, same_secret
from .key_file import KeyFile
from .keys import STYLE, Key

LOOK_S = 0.25
"""A key that was made or revoked counts after at most so long."""
NEVER = float("inf")
UNREAD = "unread"
"""In the place of a stamp: look again."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Held:
    """A key with its moments as seconds of the epoch, and its secrets with theirs."""

    key: Key
    until: float
    secrets: tuple[tuple[str, float], ...]


class KeyRing:
    """Follows one file.

    Args:
        path: the file; None for a server without keys.
        required: keys are needed even where the file is missing.
        now: seconds of the epoch.
    """

    def __init__(
        self, path: Path | None, *, required: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        self._path = path
        self._required = required
        self._now = now
        self._held: dict[str, Held] = {}
        self._stamp: object = None
        self._problem = ""
        self._next_look = 0.0

    @property
    def required(self) -> bool:
        """Whether a key is needed; once true, it stays so while this process lives."""
        self._look()
        return self._required

    def find(self, token: str) -> Key | None:
        """The valid key that a token belongs to; None for any other text."""
        self._look()
        read = STYLE.read(token)
        held = self._held.get(read[0]) if read is not None else None
        if held is None or read is None:
            same_secret(NO_HASH, token)
            return None
        now = self._now()
        fits = [same_secret(kept, read[1]) and now < until for kept, until in held.secrets]
        return held.key if any(fits) and now < held.until else None

    def look_now(self) -> None:
        """Read the file again if it has changed, whenever that was last done."""
        self._next_look = 0.0
        self._look()

    def _look(self) -> None:
        tick = time.monotonic()
        if self._path is None or tick < self._next_look:
            return
        self._next_look = tick + LOOK_S
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self._required = True
        try:
            keys = KeyFile(self._path).all()
        except StoreError as err:
            if str(err) != self._problem:
                log.error("no key is accepted until this is repaired: %s", err)
            keys, self._problem = [], str(err)
            if isinstance(err.__cause__, OSError):
                self._stamp = UNREAD  # it may be readable in a moment, and look the same
        else:
            self._problem = ""
        self._held = {key.id: _held(key) for key in keys if key.revoked_at is None}


def _held(key: Key) -> Held:
    secrets = tuple((secret.sha256, _seconds(secret.ends_at)) for secret in key.secrets)
    return Held(key, _seconds(key.expires_at), secrets)


def _seconds(moment: str | None) -> float:
    return NEVER if moment is None else datetime.fromisoformat(moment).timestamp()


def _stamp(path: Path) -> object:
    """Changes whenever the file does: it is replaced, never written in place."""
    try:
        seen = path.stat()
    except FileNotFoundError:
        return None
    except OSError as err:
        return str(err.strerror)
    return (seen.st_ino, seen.st_mtime_ns, seen.st_size)
