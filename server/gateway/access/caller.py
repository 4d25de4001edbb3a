"""Who is asking: the values that every later decision reads. Pure.

Owns what a caller may use. Refuses to own how a caller is recognised (`door.py`).
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from .keys import NO_BUDGET, NO_LIMITS, Budget, KeyLimits


@dataclass(frozen=True)
class Caller:
    """Somebody with a key, or anybody on a server without keys.

    `globs` are matched against the names that a `model` string holds: ids such as
    `team/sql-report`, and the words `base` and `auto`. `tenant` separates caches.
    """

    key_id: str
    team: str | None = None
    globs: tuple[str, ...] = ("*",)
    budget: Budget = NO_BUDGET
    limits: KeyLimits = NO_LIMITS

    @property
    def tenant(self) -> str:
        """Callers of one team share cached prefixes; others never do."""
        return f"team:{self.team}" if self.team else f"key:{self.key_id}"

    def may(self, name: str) -> bool:
        """Whether this caller may use what `name` stands for."""
        return any(fnmatchcase(name, glob) for glob in self.globs)


ANYBODY = Caller("anybody")
"""The caller of a server without keys."""


@dataclass(frozen=True)
class Admin:
    """Somebody who may change the server; `who` stands in the audit log and is no secret.

    `here` says that the request comes from this machine: only then may it name any path.
    """

    who: str
    here: bool = True
