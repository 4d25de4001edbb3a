"""How we use `huggingface_hub`; it is imported here and in `client_*.py` only, and when it is used.

Owns the questions that push and pull ask, and three things that the client leaves to its caller:

- Towards a hub other than the public one, large files go by the basic transfer, which every hub
  has, and the user agent says so (our own hub asks for it). The client's default transfer (xet)
  fails on a hub without that service, and there is no option per call; an open file instead of a
  path makes the client use the other one.
- A killed download of a large file goes on where it was, and from other hubs than the public one
  no more comes than is listed (`client_fetch.py`).
- The client answers from its cache when a hub says no. We ask for the revision first, and tell.

Refuses to own errors (`client_errors.py`) and listings (`client_listing.py`).
"""

import contextlib
import re
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from ..errors import Conflict, HubError, NotFound, UsageError
from . import client_fetch
from .client_errors import FETCHED_AGAIN, SENT_AGAIN, asking, silenced, unreachable
from .client_listing import list_files, remember
from .files import PATTERNS, Content, RemoteFile

_PUBLIC_HOSTS = frozenset({"huggingface.co", "hf.co"})
_COMMIT = re.compile(r"[0-9a-f]{40}")
_WORKERS = 4
_AGENT = {"skillweave-transfer": "basic"}


@dataclass(frozen=True)
class RepoState:
    """A branch of a repository as it was looked at; `head` None where there is nothing yet."""

    head: str | None
    private: bool | None
    files: tuple[RemoteFile, ...]


@dataclass(frozen=True)
class Where:
    """Which hub, and as whom; None leaves both to the client's environment.

    That is `HF_ENDPOINT`, else the public hub, and `HF_TOKEN`, else what `hf auth login` has kept.
    """

    endpoint: str | None = None
    token: str | None = None


class HubClient:
    """One hub, as one user."""

    def __init__(self, where: Where | None = None) -> None:
        from huggingface_hub import HfApi, constants
        from huggingface_hub.utils.tqdm import disable_progress_bars

        if not sys.stderr.isatty():
            disable_progress_bars()
        here = where or Where()
        self.endpoint = (here.endpoint or constants.ENDPOINT).rstrip("/")
        self.cache = Path(constants.HF_HUB_CACHE)
        self.offline = constants.is_offline_mode()
        self._native = (urlsplit(self.endpoint).hostname or "") in _PUBLIC_HOSTS
        self._api: HfApi = HfApi(
            endpoint=self.endpoint,
            token=here.token,
            library_name="skillweave",
            user_agent=None if self._native else dict(_AGENT),
        )

    def require_online(self, what: str) -> None:
        """Raises UsageError: the client is offline."""
        if self.offline:
            raise UsageError(f"{what} needs the hub, and HF_HUB_OFFLINE=1 forbids it: unset it")

    def ensure_repo(self, repo_id: str, *, private: bool) -> None:
        """Make a repository, unless it is there."""
        with self._asking(f"making {repo_id}", remedy=SENT_AGAIN):
            self._api.create_repo(repo_id, private=private, exist_ok=True)

    def state(self, repo_id: str, branch: str, *, make_branch: bool = False) -> RepoState:
        """What lies on a branch. No repository gives an empty state.

        Raises:
            NotFound: the repository is there and the branch is not, nor shall be made.
        """
        from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

        with self._asking(f"looking at {repo_id}"):
            try:
                info = self._api.model_info(repo_id, revision=branch)
            except RepositoryNotFoundError:
                return RepoState(None, None, ())
            except RevisionNotFoundError:
                if not make_branch:
                    raise
                self._api.create_branch(repo_id, branch=branch, exist_ok=True)
                info = self._api.model_info(repo_id, revision=branch)
        head = str(info.sha)
        return RepoState(head, info.private, tuple(self.listing(repo_id, head)))

    def private(self, repo_id: str) -> bool | None:
        """Whether only its owners see a repository; None where there is none."""
        from huggingface_hub.errors import RepositoryNotFoundError

        with self._asking(f"looking at {repo_id}"):
            try:
                return self._api.model_info(repo_id).private
            except RepositoryNotFoundError:
                return None

    def listing(self, repo_id: str, commit: str) -> list[RemoteFile]:
        """All files of a revision."""
        from huggingface_hub.utils._headers import build_hf_headers

        headers = build_hf_headers(token=self._api.token)
        with self._asking(f"listing {repo_id}@{commit[:12]}"):
            return list_files(self.endpoint, repo_id, commit, headers=headers)

    def resolve(self, repo_id: str, revision: str | None) -> str:
        """The commit that a revision means; offline, what it meant when it was last asked."""
        from huggingface_hub.errors import RevisionResolutionError

        with self._asking(f"looking for {repo_id}@{revision or 'main'}"):
            try:
                found = self._api.resolve_revision(
                    repo_id, revision=revision, local_files_only=self.offline
                )
            except RevisionResolutionError as err:
                if self.offline:
                    raise self._not_cached(repo_id, revision) from err
                text = unreachable(f"pulling {repo_id}", self.endpoint, err.__cause__)
                raise HubError(text) from err
        if not _COMMIT.fullmatch(found.resolved):
            raise HubError(
                f"{self.endpoint} names {found.resolved[:80]!a} as a revision of {repo_id}"
            )
        return str(found.resolved)

    def download(
        self,
        repo_id: str,
        commit: str,
        *,
        listed: Sequence[RemoteFile],
        wanted: Sequence[RemoteFile],
    ) -> Path:
        """The client's snapshot of a revision with the files of an artifact; a folder of links.

        Args:
            listed: all files of the revision. wanted: those of the artifact. Neither offline.
        """
        from huggingface_hub.errors import IncompleteSnapshotError, LocalEntryNotFoundError

        with self._asking(f"fetching {repo_id}@{commit[:12]}"):
            if not self.offline:
                remember(self.cache, repo_id, commit, listed)
                with ThreadPoolExecutor(_WORKERS) as pool:
                    list(pool.map(lambda file: self._prefetch(repo_id, commit, file), wanted))
            try:
                found = self._api.snapshot_download(
                    repo_id,
                    revision=commit,
                    allow_patterns=list(PATTERNS),
                    local_files_only=self.offline,
                    max_workers=_WORKERS,
                )
            except (LocalEntryNotFoundError, IncompleteSnapshotError) as err:
                if self.offline:
                    raise self._not_cached(repo_id, commit) from err
                raise HubError(f"{self.endpoint}: {err}; try again") from err
        return Path(str(found))

    def commit(
        self,
        repo_id: str,
        branch: str,
        *,
        send: Mapping[str, Content],
        delete: Sequence[str],
        message: str,
        parent: str | None,
    ) -> str:
        """One revision on top of `parent`; large files that are there already are not sent again.

        Raises:
            Conflict: the branch is no longer at `parent`.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        with (
            contextlib.ExitStack() as opened,
            self._asking(f"pushing to {repo_id}", remedy=SENT_AGAIN),
        ):
            # that an open file goes by the basic transfer: we ask for that
            opened.enter_context(silenced("huggingface_hub._commit_api", "binary IO buffer"))
            adds = []
            for path, content in send.items():
                what: Content | BinaryIO = content
                if isinstance(content, Path) and not self._native:
                    what = opened.enter_context(content.open("rb"))
                adds.append(CommitOperationAdd(path_in_repo=path, path_or_fileobj=what))
            deletes = [CommitOperationDelete(path_in_repo=path) for path in delete]
            made = self._api.create_commit(
                repo_id,
                [*adds, *deletes],
                commit_message=message,
                revision=branch,
                parent_commit=parent,
            )
        return str(made.oid)

    def tags(self, repo_id: str) -> dict[str, str]:
        """Tags of a repository, and the commit of each."""
        with self._asking(f"looking at the tags of {repo_id}"):
            refs = self._api.list_repo_refs(repo_id)
        return {ref.name: ref.target_commit for ref in refs.tags}

    def tag(self, repo_id: str, tag: str, commit: str) -> None:
        """Put a tag on a revision.

        Raises:
            Conflict: the tag is on another one.
        """
        with self._asking(f"tagging {repo_id}", remedy=SENT_AGAIN):
            self._api.create_tag(repo_id, tag=tag, revision=commit, exist_ok=True)
        check_tag(repo_id, tag, commit, at=self.tags(repo_id).get(tag))

    def _prefetch(self, repo_id: str, commit: str, file: RemoteFile) -> None:
        """Fetch a file into the client's cache, before the client asks for it.

        From the public hub only large ones, the rest is the client's own way. From others every
        one, so that no more comes than is listed, and under no other name.
        """
        import httpx2
        from huggingface_hub import get_hf_file_metadata, hf_hub_url
        from huggingface_hub.file_download import repo_folder_name
        from huggingface_hub.utils._headers import build_hf_headers

        large = file.sha256 is not None and file.size >= client_fetch.RESUMED_BYTES
        if self._native and not large:
            return
        folder = self.cache / repo_folder_name(repo_id=repo_id, repo_type="model")
        blob = folder / "blobs" / (file.sha256 or file.oid)
        if not blob.exists():
            url = hf_hub_url(repo_id, file.path, revision=commit, endpoint=self.endpoint)
            told = get_hf_file_metadata(url, token=self._api.token, endpoint=self.endpoint)
            if self._native and (told.xet_file_data is not None or told.etag != blob.name):
                return  # the client's own way
            same_host = urlsplit(told.location).netloc == urlsplit(url).netloc
            headers = build_hf_headers(token=self._api.token if same_host else False)
            client_fetch.fetch_blob(
                blob,
                size=file.size,
                part=lambda start: client_fetch.stream_from(told.location, headers, start),
                broken=(httpx2.TransportError,),
            )
        if not self._native:
            client_fetch.link_in(folder / "snapshots" / commit, file.path, blob)

    def _not_cached(self, repo_id: str, revision: str | None) -> NotFound:
        return NotFound(
            f"{repo_id}@{revision or 'main'} is not, or not whole, in the cache {self.cache}, and "
            "HF_HUB_OFFLINE=1 forbids asking the hub: unset it once, and pull"
        )

    def _asking(self, what: str, *, remedy: str = FETCHED_AGAIN) -> AbstractContextManager[None]:
        return asking(what, self.endpoint, remedy=remedy)


def check_tag(repo_id: str, tag: str, commit: str, *, at: str | None) -> None:
    """Raises Conflict: the tag is on another revision than this one."""
    if at != commit:
        raise Conflict(
            f"tag {tag!r} of {repo_id} is on {at}, not on {commit}: a tag is never moved; choose "
            "another name, or delete it on the hub"
        )
