"""The values of pushing and pulling, and what goes wrong with a hub. Pure."""

from dataclasses import dataclass
from typing import Literal

from .errors import SkillweaveError

Change = Literal["new", "changed", "same", "deleted", "unknown"]


class HubError(SkillweaveError, RuntimeError):
    """A hub cannot be reached, or does not do what was asked."""


@dataclass(frozen=True)
class PlannedFile:
    """One file of a push: what would happen to it, `unknown` where the hub was not asked."""

    path: str
    size: int
    change: Change


@dataclass(frozen=True)
class PushPlan:
    """What a push would do.

    `exists` says whether the repository is there (None: not asked), `head` the revision that the
    changes are held against, `licence` what the model card would say.
    """

    repo_id: str
    endpoint: str
    private: bool
    exists: bool | None
    head: str | None
    licence: str | None
    files: tuple[PlannedFile, ...]

    @property
    def sent_bytes(self) -> int:
        """Bytes of the files that are new or changed."""
        return sum(f.size for f in self.files if f.change not in {"same", "deleted"})


@dataclass(frozen=True)
class Pushed:
    """A finished push: the revision, the files of the artifact in it, and where to look."""

    commit: str
    files: tuple[str, ...]
    url: str
