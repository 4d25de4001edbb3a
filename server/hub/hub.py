"""All repositories below one folder: made, found, moved, deleted, and only by those who may.

A repository exists where its `repo.json` does; that file is written last and a repository that is
deleted or moved is renamed in one step. Refuses to own the inside of a repository (`repo.py`).
"""

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .access import Caller
from .disk import TEMPORARY, children, locked, make_folder, sync_folder, temporary_beside
from .documents import Commit, RepoFacts
from .errors import Refusal, repo_not_found
from .layout import RepoFolder
from .limits import DEFAULT_LIMITS, HubLimits
from .names import DEFAULT_BRANCH, check_namespace, check_part, split_repo_id
from .repo import Repo, now
from .tokens import Token, Tokens, make_root, signing_key
from .usage import Usage

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
        repo = Repo(RepoFolder(self.root, namespace, name), self._usage)
        try:
            facts = repo.facts()
        except Refusal as err:
            raise hidden from err
        if not self._sees(caller, namespace, facts):
            raise hidden
        return repo

    def writable(self, repo_id: str, caller: Caller) -> Repo:
        """A repository that the caller may change.

        Raises:
            Refusal: 404 or 401 where it is not seen, 403 where it may not be changed.
        """
        repo = self.repo(repo_id, caller)
        caller.require_write(repo.folder.namespace)
        return repo

    def writable_by(self, repo_id: str, token: Token) -> Repo:
        """A repository that a token named in a signed address may change now.

        Raises:
            Refusal: 403, the token has ended; and as for `writable`.
        """
        if not token.valid(datetime.now(UTC)):
            raise Refusal(403, "the token of this upload address is no longer valid")
        return self.writable(repo_id, Caller(token))

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
        return repo

    def delete(self, repo_id: str, caller: Caller) -> None:
        """Remove a repository with all its revisions."""
        repo = self.writable(repo_id, caller)
        with self._alone(), repo.locked():
            trash = temporary_beside(self.root / "repos" / "gone")
            os.rename(repo.folder.path, trash)
            sync_folder(repo.folder.path.parent)
        with contextlib.suppress(OSError):  # it is gone for everybody; `sweep` frees the rest
            shutil.rmtree(trash)

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
            if moved.folder.path.exists():
                raise Refusal(409, f"{moved.id} exists already")
            repo.write_facts(repo.facts().model_copy(update={"id": moved.id}))
            make_folder(moved.folder.path.parent)
            os.rename(repo.folder.path, moved.folder.path)
            sync_folder(repo.folder.path.parent)
            sync_folder(moved.folder.path.parent)
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
                if self._sees(caller, namespace, facts):
                    yield repo, facts

    def sweep(self, older_than_s: float = _STALE_S) -> int:
        """Free what was begun and never finished, and contents of commits that were refused;
        returns how many things that were."""
        limit = time.time() - older_than_s
        stale = [
            path
            for pattern in (f"repos/{TEMPORARY}*", f"repos/*/*/**/{TEMPORARY}*")
            for path in self.root.glob(pattern)
            if path.lstat().st_mtime < limit
        ]
        for path in stale:
            with contextlib.suppress(OSError):
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        freed = len(stale)
        repos = self.root / "repos"
        for namespace in children(repos):
            for name in children(repos / namespace):
                with contextlib.suppress(Refusal):  # one that is being made, or was deleted
                    freed += Repo(RepoFolder(self.root, namespace, name), self._usage).sweep(limit)
        return freed

    def _sees(self, caller: Caller, namespace: str, facts: RepoFacts) -> bool:
        return caller.sees(namespace, private=facts.private, public_read=self.options.public_read)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with locked(self.root / "lock"):
            yield
