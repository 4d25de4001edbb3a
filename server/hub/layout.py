"""Where everything lies below a hub's root.

    repos/<namespace>/<name>/repo.json         what is true of the repository
    repos/<namespace>/<name>/blobs/<sha256>    contents
    repos/<namespace>/<name>/commits/<id>.json revisions, immutable
    repos/<namespace>/<name>/heads/<ref>.json, tags/<ref>.json
    incoming/.tmp-*                            contents on their way
    locks/, lock, tokens/, tokens.lock, signing-key

A name that starts with `.tmp-` is unfinished work and is never served.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RepoFolder:
    """The paths of one repository. Both names were checked (`names.py`)."""

    root: Path
    namespace: str
    name: str

    @property
    def id(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.root / "repos" / self.namespace / self.name

    @property
    def facts(self) -> Path:
        """What is true of it; it exists where this file does."""
        return self.path / "repo.json"

    @property
    def blobs(self) -> Path:
        """The folder of contents."""
        return self.path / "blobs"

    @property
    def incoming(self) -> Path:
        """Where contents wait; outside of every repository, so that none comes back by them."""
        return self.root / "incoming"

    @property
    def lock(self) -> Path:
        """Held while contents are added, or a branch, a tag or the facts change."""
        return self.root / "locks" / f"{self.namespace}@{self.name}"

    def commit(self, commit: str) -> Path:
        """One revision."""
        return self.path / "commits" / f"{commit}.json"

    def refs(self, kind: str) -> Path:
        """The folder of branches (`heads`) or tags (`tags`)."""
        return self.path / kind
