"""A key: who holds it, what it reaches, until when, how much. Pure values.

Owns the record and its rules. Refuses to own the file (`key_file.py`), tokens (`server/bearer.py`)
and recognising a request (`door.py`).
"""

import re
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ....adapters.errors import UsageError
from ....adapters.names import is_slug
from ...bearer import Style, is_valid

STYLE = Style("sk-sw-", "-")
"""How a key's token is spelled: `sk-sw-<id>-<secret>`."""
MAX_GLOBS = 64
_GLOB = re.compile(r"[a-z0-9*?-]{1,64}(?:/[a-z0-9*?-]{1,64})?")


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Budget(_Record):
    """Tokens, of prompts and answers together. None: no bound."""

    day_tokens: int | None = Field(default=None, ge=0)
    """In one day, UTC."""
    total_tokens: int | None = Field(default=None, ge=0)
    """Ever."""


class KeyLimits(_Record):
    """Bounds of one request that are tighter than the server's. None: the server's."""

    n: int | None = Field(default=None, ge=1)
    """Answers to one prompt."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Tokens of one answer; also what is asked for where a request does not say."""


NO_BUDGET, NO_LIMITS = Budget(), KeyLimits()
"""A key without bounds of its own."""


class Secret(_Record):
    """One secret of a key; while a key is rotated it has two."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the secret."""
    ends_at: str | None = None
    """UTC, ISO 8601; None: as long as the key."""


class Key(_Record):
    """What is kept of a key."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
    """Part of the token; no secret. Usage and audit speak of it."""
    name: str
    """For people; one valid key has a name at a time."""
    team: str | None = None
    """Keys of one team share cached prefixes, and are summed up together."""
    globs: tuple[str, ...] = ("*",)
    """Patterns of the model names it may use: ids such as `team/sql-*`, `base`, `auto`."""
    admin: bool = False
    """Whether it may use the admin routes."""
    budget: Budget = NO_BUDGET
    limits: KeyLimits = NO_LIMITS
    secrets: tuple[Secret, ...] = Field(min_length=1, max_length=2)
    created_at: str
    """UTC, ISO 8601."""
    expires_at: str | None = None
    """UTC, ISO 8601; None for never."""
    revoked_at: str | None = None
    """UTC, ISO 8601; None while it is valid."""

    @field_validator("created_at", "expires_at", "revoked_at")
    @classmethod
    def _moment(cls, text: str | None) -> str | None:
        if text is not None and datetime.fromisoformat(text).tzinfo is None:
            raise ValueError(f"{text!r} has no time zone")
        return text

    def valid(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return is_valid(now, expires_at=self.expires_at, revoked_at=self.revoked_at)

    def public(self, now: datetime) -> dict[str, object]:
        """What anybody who administers may see: all but the hashes."""
        about = self.model_dump(mode="json", exclude={"secrets"})
        state = "revoked" if self.revoked_at else "valid" if self.valid(now) else "expired"
        return {**about, "state": state}


class Wish(_Record):
    """What a new key is to be."""

    name: str
    team: str | None = None
    globs: tuple[str, ...] | None = None
    """None: everything, or nothing but the admin routes for an admin key."""
    admin: bool = False
    days: float | None = None
    """None: it does not expire."""
    budget: Budget = NO_BUDGET
    limits: KeyLimits = NO_LIMITS

    def check(self) -> None:
        """Raises UsageError: a name, team or pattern that cannot be one."""
        for what, text in (("name", self.name), ("team", self.team)):
            if text is not None and not is_slug(text):
                raise UsageError(
                    f"{what} {text!r}: expected up to 64 characters a-z, 0-9 and single hyphens"
                )
        for glob in self.globs or ():
            if not _GLOB.fullmatch(glob):
                raise UsageError(
                    f"adapters {glob!r}: expected a pattern such as 'team/sql-*', 'base' or 'auto'"
                )
        if self.globs is not None and not 1 <= len(self.globs) <= MAX_GLOBS:
            raise UsageError(f"{len(self.globs)} patterns: expected 1 to {MAX_GLOBS}")

    @property
    def reach(self) -> tuple[str, ...]:
        """The patterns of the key."""
        if self.globs is not None:
            return self.globs
        return () if self.admin else ("*",)
