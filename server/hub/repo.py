"""One repository: revisions, branches and tags.

Files are the truth and are read anew each time, so several processes may serve one root; whatever
moves a branch or a tag holds the repository's lock. A revision is written before anything points at
it. Refuses to own what a commit may contain (`commits.py`) and who asks (`access.py`).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from pydantic import BaseModel, ValidationError

from ...adapters.digests import canonical_json
from ...adapters.errors import StoreError
from .blobs import Blobs
from .disk import OPS, children, locked, publish_file, replace_file
from .documents import Commit, Ref, RepoFacts, commit_bytes, commit_id
from .errors import Refusal, repo_not_found, revision_not_found
from .layout import RepoFolder
from .names import DEFAULT_BRANCH, check_ref, is_commit, ref_file, ref_of_file
from .usage import Usage

_REF_BYTES = 4096  # what the disk gives to a small file
_FULL = re.compile(r"refs/(heads|tags)/(.+)")


class Repo:
    """A repository that exists.

    Args:
        folder: where it lies.
        usage: charged for new contents, revisions, branches and tags.
        uid: which repository is meant, where that is known: one that was deleted, moved or made
            again under the same name since is then never changed.
    """

    def __init__(self, folder: RepoFolder, usage: Usage, uid: str | None = None) -> None:
        self.folder = folder
        self.blobs = Blobs(folder, usage)
        self._usage = usage
        self._uid = uid

    @property
    def id(self) -> str:
        """`namespace/name`."""
        return self.folder.id

    def facts(self) -> RepoFacts:
        """What is true of it as a whole.

        Raises:
            Refusal: 404; it was deleted meanwhile.
        """
        try:
            return RepoFacts.model_validate_json(self.folder.facts.read_bytes())
        except FileNotFoundError as err:
            raise repo_not_found(anonymous=False) from err
        except ValidationError as err:
            raise StoreError(f"{self.folder.facts} is damaged: {err}") from err

    def write_facts(self, facts: RepoFacts) -> None:
        """Replace them; the caller holds the lock."""
        self._replace(self.folder.facts.name, facts)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with contents, branches, tags and facts.

        Raises:
            Refusal: 404; it was deleted or moved while we waited.
        """
        with locked(self.folder.lock):
            if self._uid not in (None, self.facts().uid):
                raise repo_not_found(anonymous=False)
            yield

    def head(self, branch: str = DEFAULT_BRANCH) -> str:
        """Where a branch points.

        Raises:
            Refusal: 404; no such branch.
        """
        found = self._ref("heads", branch)
        if found is None:
            raise revision_not_found(branch)
        return found.commit

    def resolve(self, revision: str) -> str:
        """The commit that a branch, a tag or a full commit id means.

        Raises:
            Refusal: 404; none of them.
        """
        if is_commit(revision):
            if self.folder.commit(revision).is_file():
                return revision
            raise revision_not_found(revision)
        full = _FULL.fullmatch(revision)
        kinds, name = ((full[1],), full[2]) if full else (("heads", "tags"), revision)
        try:
            check_ref(name)
        except Refusal as err:
            raise revision_not_found(revision) from err
        found = next((ref for kind in kinds if (ref := self._ref(kind, name))), None)
        if found is None:
            raise revision_not_found(revision)
        return found.commit

    def commit(self, commit: str) -> Commit:
        """One revision by its id, which `resolve` gave."""
        path = self.folder.commit(commit)
        try:
            return Commit.model_validate_json(path.read_bytes())
        except FileNotFoundError as err:
            raise revision_not_found(commit) from err
        except ValidationError as err:
            raise StoreError(f"{path} is damaged: {err}") from err

    def history(self, commit: str) -> Iterator[tuple[str, Commit]]:
        """A revision and those before it, newest first."""
        at: str | None = commit
        while at is not None:
            found = self.commit(at)
            yield at, found
            at = found.parent

    def refs(self, kind: str) -> dict[str, Ref]:
        """All branches (`heads`) or tags (`tags`)."""
        names = [ref_of_file(f) for f in children(self.folder.refs(kind)) if f.endswith(".json")]
        found = {name: self._ref(kind, name) for name in names}
        return {name: ref for name, ref in found.items() if ref is not None}

    def add_commit(self, commit: Commit, branch: str) -> str:
        """Write a revision and move a branch to it; the caller holds the lock.

        Raises:
            Refusal: 507; the hub is full.
        """
        found, data = commit_id(commit), commit_bytes(commit)
        self._usage.charge(len(data))
        publish_file(self.folder.root, self.folder.commit(found), data)
        self.set_ref("heads", branch, Ref(commit=found))
        return found

    def set_ref(self, kind: str, name: str, ref: Ref) -> None:
        """Point a branch or a tag somewhere; the caller holds the lock."""
        self._usage.charge(_REF_BYTES)
        self._replace(f"{kind}/{ref_file(check_ref(name))}", ref)

    def add_ref(self, kind: str, name: str, ref: Ref) -> None:
        """A new branch or tag.

        Raises:
            Refusal: 409; there is one of this name.
        """
        check_ref(name)
        with self.locked():
            if self._ref(kind, name) is not None:
                what = "branch" if kind == "heads" else "tag"
                raise Refusal(409, f"{what} {name!r} exists already in {self.id}")
            self.set_ref(kind, name, ref)

    def remove_ref(self, kind: str, name: str) -> None:
        """Remove a branch or a tag; revisions stay.

        Raises:
            Refusal: 404, no such one; 403, the main branch.
        """
        if kind == "heads" and name == DEFAULT_BRANCH:
            raise Refusal(403, f"branch {DEFAULT_BRANCH!r} cannot be deleted")
        with self.locked():
            if self._ref(kind, name) is None:
                raise revision_not_found(name)
            (self.folder.refs(kind) / ref_file(name)).unlink()
            OPS.sync_folder(self.folder.refs(kind))

    def sweep(self, before: float) -> int:
        """Remove contents that no revision has, older than a time; returns how many."""
        freed = 0
        with self.locked():
            commits = children(self.folder.path / "commits")
            ids = [name.removesuffix(".json") for name in commits]
            kept = {file.sha256 for found in ids for file in self.commit(found).files.values()}
            for name in set(children(self.folder.blobs)) - kept:
                path = self.blobs.path(name)
                if path.stat().st_mtime < before:
                    path.unlink()
                    freed += 1
        return freed

    def _ref(self, kind: str, name: str) -> Ref | None:
        path = self.folder.refs(kind) / ref_file(name)
        try:
            return Ref.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as err:
            raise revision_not_found(name) from err  # a name too long for the disk
        except ValidationError as err:
            raise StoreError(f"{path} is damaged: {err}") from err

    def _replace(self, relative: str, document: BaseModel) -> None:
        data = canonical_json(document.model_dump(mode="json"))
        replace_file(self.folder.root, self.folder.path / relative, data)


def now() -> str:
    """UTC in ISO 8601, as clients parse it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
