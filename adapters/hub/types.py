"""The values of pushing and pulling. Pure."""

from dataclasses import dataclass
from typing import Literal

Change = Literal["new", "changed", "same", "deleted", "unknown"]


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
