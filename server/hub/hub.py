"""All repositories below one folder: made, found, moved, deleted, and only by those who may.

A repository exists where its `repo.json` does; that file is written last and a repository that is
deleted or moved is renamed in one step. Refuses to own the inside of a repository (`repo.py`).
"""

import contextlib
import logging
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ...adapters.errors import StoreError
from .access import Caller, Grant, upload_refused
from .disk import OPS, TEMPORARY, children, locked, make_folder, temporary_beside
from .documents import Commit, RepoFacts
from .errors import Refusal, repo_not_found
from .layout import RepoFolder
from .limits import DEFAULT_LIMITS, HubLimits
from .names import DEFAULT_BRANCH, check_namespace, check_part, split_repo_id
from .repo import Repo, now
from .tokens import Tokens, make_root, signing_key
from .usage import Usage

log = logging.getLogger(__name__)

_STALE_S = 24 * 3600.0


@dataclass(frozen=True)
class HubOptions:
    """How a hub behaves.

    `public_read`: public repositories are for everybody, without a token. `gate`: adapters are
    examined when they are committed. `url`: how clients reach it, where that is not how the request
    arrived (behind a proxy that ends TLS).
    """

    public_read: bool = False
    gate: bool = True
    url: str | None = None
    limits: HubLimits = DEFAULT_LIMITS


class Hub:
    """The repositories below a root, which is made if it is missing.

    Raises:
        UsageError: the root cannot be used.
    """

    def __init__(self, root: Path, options: HubOptions | None = None) -> None:
        self.root = make_root(root)
        self.options = options or HubOptions()
        self.tokens = Tokens(root)
        self.signing_key = signing_key(root)
        self._usage = Usage(root, self.options.limits.root_bytes)

    def repo(self, repo_id: str, caller: Caller) -> Repo:
        """A repository that the caller sees.

        Raises:
            Refusal: 404 or 401; the same whether it is hidden, missing, or cannot exist.
        """
        hidden = repo_not_found(anonymous=caller.token is None)
        try:
            namespace, name = split_repo_id(repo_id)
        except Refusal as err:
            raise hidden from err
        folder = RepoFolder(self.root, namespace, name)
        try:
            facts = Repo(folder, self._usage).facts()
        except Refusal as err:
            raise hidden from err
        except StoreError as err:
            if caller.sees(namespace, private=True, public_read=False):
                raise
            log.error("%s", err)
            raise hidden from err
        if not self._sees(caller, namespace, facts):
            raise hidden
        return Repo(folder, self._usage, facts.uid)

    def writable(self, repo_id: str, caller: Caller) -> Repo:
        """A repository that the caller may change.

        Raises:
            Refusal: 404 or 401 where it is not seen, 403 where it may not be changed.
        """
        repo = self.repo(repo_id, caller)
        caller.require_write(repo.folder.namespace)
        return repo

    def granted(self, grant: Grant, signature: str) -> Repo:
        """The repository that a signed address means, if its token may change it now.

        Nothing is looked for before the signature is known to be ours.

        Raises:
            Refusal: 403; the same whatever is wrong with the address, its token or the repository.
        """
        grant.check(signature, self.signing_key)
        token = self.tokens.by_id(grant.token_id)
        if token is None or not token.valid(datetime.now(UTC)):
            raise upload_refused()
        try:
            repo = self.writable(grant.repo_id, Caller(token))
        except Refusal as err:
            raise upload_refused() from err
        if repo.facts().uid != grant.uid:
            raise upload_refused()
        return repo

    def create(self, namespace: str | None, name: str, *, private: bool, caller: Caller) -> Repo:
        """A new repository with an empty first revision.

        Raises:
            Refusal: 409 where it exists, 403 or 401 where the caller may not, 400 for a bad name.
        """
        owner = check_namespace(namespace or caller.name)
        check_part(name, "repository name")
        token = caller.require_write(owner)
        repo = Repo(RepoFolder(self.root, owner, name), self._usage)
        with self._alone(), locked(repo.folder.lock):
            if repo.folder.facts.exists():
                raise Refusal(409, f"You already created this model repo: {repo.id}")
            first = Commit(
                parent=None,
                title="initial commit",
                message="",
                author=token.name,
                date=now(),
                files={},
                card={},
            )
            repo.add_commit(first, DEFAULT_BRANCH)
            facts = RepoFacts(
                id=repo.id, uid=secrets.token_hex(12), private=private, created_at=now()
            )
            repo.write_facts(facts)
        return Repo(repo.folder, self._usage, facts.uid)

    def delete(self, repo_id: str, caller: Caller) -> None:
        """Remove a repository with all its revisions."""
        repo = self.writable(repo_id, caller)
        with self._alone(), repo.locked():
            trash = self._discard(repo.folder)
        with contextlib.suppress(OSError):  # it is gone for everybody; `sweep` frees the rest
            OPS.remove_tree(trash)

    def move(self, old: str, new: str, caller: Caller) -> Repo:
        """Give a repository another name; the old one leads nowhere afterwards.

        Raises:
            Refusal: 409, the new name is taken; and as for `writable` and `create`.
        """
        repo = self.writable(old, caller)
        namespace, name = split_repo_id(new)
        caller.require_write(namespace)
        moved = Repo(RepoFolder(self.root, namespace, name), self._usage)
        with self._alone(), repo.locked():
            if moved.folder.facts.exists():
                raise Refusal(409, f"{moved.id} exists already")
            if moved.folder.path.exists():  # one that was begun and never finished
                self._discard(moved.folder)
            repo.write_facts(repo.facts().model_copy(update={"id": moved.id}))
            make_folder(self.root, moved.folder.path.parent)
            OPS.rename(repo.folder.path, moved.folder.path)
            OPS.sync_folder(repo.folder.path.parent)
            OPS.sync_folder(moved.folder.path.parent)
        return moved

    def visible(self, caller: Caller) -> Iterator[tuple[Repo, RepoFacts]]:
        """Every repository that the caller sees, by name."""
        repos = self.root / "repos"
        for namespace in children(repos):
            for name in children(repos / namespace):
                repo = Repo(RepoFolder(self.root, namespace, name), self._usage)
                try:
                    facts = repo.facts()
                except Refusal:  # deleted since it was enumerated
                    continue
                except StoreError as err:
                    log.error("passed over in a listing: %s", err)
                    continue
                if self._sees(caller, namespace, facts):
                    yield repo, facts

    def sweep(self, older_than_s: float = _STALE_S) -> int:
        """Free what was begun and never finished, and contents of commits that were refused;
        returns how many things that were."""
        limit = time.time() - older_than_s
        stale = [
            path
            for pattern in (f"repos/{TEMPORARY}*", f"repos/*/*/**/{TEMPORARY}*", "incoming/*")
            for path in self.root.glob(pattern)
            if path.lstat().st_mtime < limit
        ]
        for path in stale:
            with contextlib.suppress(OSError):
                if path.is_dir():
                    OPS.remove_tree(path)
                else:
                    OPS.unlink(path)
        freed = len(stale)
        repos = self.root / "repos"
        for namespace in children(repos):
            for name in children(repos / namespace):
                freed += self._sweep_one(RepoFolder(self.root, namespace, name), limit)
        return freed

    def _sweep_one(self, folder: RepoFolder, limit: float) -> int:
        try:
            return Repo(folder, self._usage).sweep(limit)
        except StoreError as err:
            log.error("not swept: %s", err)
            return 0
        except Refusal:  # no facts: deleted just now, or begun and never finished
            pass
        with self._alone(), contextlib.suppress(OSError):
            if not folder.facts.exists() and folder.path.lstat().st_mtime < limit:
                OPS.remove_tree(self._discard(folder))
                return 1
        return 0

    def _discard(self, folder: RepoFolder) -> Path:
        """Take a repository out of sight in one step; the caller is alone. Returns what is left."""
        trash = temporary_beside(self.root / "repos" / "gone")
        OPS.rename(folder.path, trash)
        OPS.sync_folder(folder.path.parent)
        return trash

    def _sees(self, caller: Caller, namespace: str, facts: RepoFacts) -> bool:
        return caller.sees(namespace, private=facts.private, public_read=self.options.public_read)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with locked(self.root / "lock"):
            yield
