"""Tokens that we hand out: made once, kept as a hash, compared in constant time.

A token is `<prefix><id><joint><secret>`. The id is public: it finds the record. The secret has 256
random bits, so a plain SHA-256 of it is enough; a slow hash is for what people choose.
Owns making, reading and comparing, and how long a token is valid. Refuses to own where records are
kept (`hub/tokens.py`, `gateway/access/key_file.py`) and what a token allows.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..adapters.errors import UsageError

ID = re.compile(r"[0-9a-f]{12}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
MAX_DAYS = 36_500
NO_HASH = "0" * 64
"""Stands for the hash of a token that does not exist, so that looking takes as long."""
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Minted:
    """A token on the only occasion on which all of it is known."""

    text: str
    id: str
    sha256: str


@dataclass(frozen=True)
class Style:
    """How the tokens of one kind are spelled."""

    prefix: str
    joint: str

    def mint(self, token_id: str | None = None) -> Minted:
        """A new token; for an id that exists already, a new secret of it."""
        public = token_id or secrets.token_hex(6)
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        return Minted(f"{self.prefix}{public}{self.joint}{secret}", public, hash_secret(secret))

    def read(self, text: str) -> tuple[str, str] | None:
        """Id and secret of a token; None where `text` cannot be one."""
        head = len(self.prefix) + 12
        public, joint = text[len(self.prefix) : head], text[head : head + len(self.joint)]
        secret = text[head + len(self.joint) :]
        whole = text.startswith(self.prefix) and joint == self.joint
        fits = ID.fullmatch(public) and _SECRET.fullmatch(secret)
        return (public, secret) if whole and fits else None


def hash_secret(secret: str) -> str:
    """What is kept of a secret: 64 hex digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same_secret(kept: str, secret: str) -> bool:
    """Whether `secret` is the one whose hash was kept; takes as long either way."""
    return hmac.compare_digest(kept, hash_secret(secret))


def end_of(now: datetime, days: float | None) -> str | None:
    """The moment `days` after `now`, ISO 8601; None for a token without an end.

    Raises:
        UsageError: not a sensible number of days.
    """
    if days is None:
        return None
    if not 0 < days <= MAX_DAYS:
        raise UsageError(f"days {days}: expected more than 0 and at most {MAX_DAYS}")
    return (now + timedelta(days=days)).isoformat()


def is_valid(now: datetime, *, expires_at: str | None, revoked_at: str | None) -> bool:
    """Neither revoked nor expired; both are ISO 8601 with a time zone."""
    late = expires_at is not None and now >= datetime.fromisoformat(expires_at)
    return revoked_at is None and not late
