"""How we use `huggingface_hub`: the only file that imports it, and only when it is used.

Owns the translation of its errors into ours, and three things that it leaves to its caller:

- Towards a hub other than the public one, large files go by the basic transfer, which every hub
  has, and the user agent says so (our own hub asks for it). The client's default transfer (xet)
  fails on a hub without that service, and there is no option per call; an open file instead of a
  path makes the client use the other one.
- A killed download of a large file goes on where it was: the client begins such a file anew, so we
  fetch it into the client's cache ourselves, in pieces, and check its digest.
- The client answers from its cache when a hub says no. We ask for the revision first, and tell.
"""

import contextlib
import hashlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import Conflict, HubError, NotFound, UsageError
from ..limits import MiB
from .files import PATTERNS, Content, RemoteFile
from .resume import Part, complete

if TYPE_CHECKING:
    pass

_PUBLIC_HOSTS = frozenset({"huggingface.co", "hf.co"})
_RESUMED_BYTES = 4 * MiB
_PIECE_BYTES = 64 * 1024
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
        with self._asking(f"making {repo_id}"):
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

    def listing(self, repo_id: str, commit: str) -> list[RemoteFile]:
        """All files of a revision."""
        from huggingface_hub.hf_api import RepoFile

        with self._asking(f"listing {repo_id}@{commit[:12]}"):
            tree = self._api.list_repo_tree(repo_id, recursive=True, revision=commit)
            return [
                RemoteFile(f.path, f.size, f.blob_id, f.lfs.sha256 if f.lfs else None)
                for f in tree
                if isinstance(f, RepoFile)
            ]

    def resolve(self, repo_id: str, revision: str | None) -> str:
        """The commit that a revision means; offline, what it meant when it was last asked."""
        from huggingface_hub.errors import RevisionResolutionError

        with self._asking(f"looking for {repo_id}@{revision or 'main'}"):
            try:
                found = self._api.resolve_revision(
                    repo_id, revision=revision, local_files_only=self.offline
                )
            except RevisionResolutionError as err:
                raise self._not_cached(repo_id, revision) from err
        return str(found.resolved)

    def download(self, repo_id: str, commit: str, files: Sequence[RemoteFile]) -> Path:
        """The client's snapshot of a revision with the files of an artifact; a folder of links."""
        from huggingface_hub.errors import IncompleteSnapshotError, LocalEntryNotFoundError

        with self._asking(f"fetching {repo_id}@{commit[:12]}"):
            if not self.offline:
                for file in files:
                    self._prefetch(repo_id, commit, file)
            try:
                found = self._api.snapshot_download(
                    repo_id,
                    revision=commit,
                    allow_patterns=list(PATTERNS),
                    local_files_only=self.offline,
                    max_workers=4,
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

        with contextlib.ExitStack() as opened, self._asking(f"pushing to {repo_id}"):
            opened.enter_context(_without_hint())
            adds = []
            for path, content in send.items():
                what = content
                if isinstance(content, Path) and not self._native:
                    what = opened.enter_context(content.open("rb"))  # type: ignore[assignment]
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

    def tag(self, repo_id: str, tag: str, commit: str) -> None:
        """Put a tag on a revision.

        Raises:
            Conflict: the tag is on another one.
        """
        with self._asking(f"tagging {repo_id}"):
            self._api.create_tag(repo_id, tag=tag, revision=commit, exist_ok=True)
            refs = self._api.list_repo_refs(repo_id)
        at = {ref.name: ref.target_commit for ref in refs.tags}
        if at.get(tag) != commit:
            raise Conflict(
                f"tag {tag!r} of {repo_id} is on {at.get(tag)}, not on {commit}: a tag is never "
                "moved; choose another name, or delete it on the hub"
            )

    def _prefetch(self, repo_id: str, commit: str, file: RemoteFile) -> None:
        """Fetch a large file into the client's cache, going on where an earlier attempt ended."""
        import httpx2
        from huggingface_hub import get_hf_file_metadata, hf_hub_url
        from huggingface_hub.file_download import repo_folder_name
        from huggingface_hub.utils._headers import build_hf_headers

        if file.sha256 is None or file.size < _RESUMED_BYTES:
            return
        blobs = self.cache / repo_folder_name(repo_id=repo_id, repo_type="model") / "blobs"
        blob = blobs / file.sha256
        if blob.exists():
            return
        url = hf_hub_url(repo_id, file.path, revision=commit, endpoint=self.endpoint)
        told = get_hf_file_metadata(url, token=self._api.token, endpoint=self.endpoint)
        if told.xet_file_data is not None or told.etag != file.sha256:
            return  # the client's own way
        blobs.mkdir(parents=True, exist_ok=True)
        partial = blobs / f"{file.sha256}.skillweave.incomplete"
        same_host = urlsplit(told.location).netloc == urlsplit(url).netloc
        headers = build_hf_headers(token=self._api.token if same_host else False)
        with partial.open("ab") as writer, _locked(writer.fileno()):
            complete(
                writer,
                size=file.size,
                part=lambda start: _from(told.location, headers, start),
                broken=(httpx2.TransportError,),
            )
        with partial.open("rb") as reader:
            digest = hashlib.file_digest(reader, "sha256").hexdigest()
        if digest != file.sha256:
            partial.unlink()
            raise HubError(
                f"{file.path} came with digest {digest}, listed is {file.sha256}; repeat"
            )
        os.replace(partial, blob)

    def _not_cached(self, repo_id: str, revision: str | None) -> NotFound:
        where = f"{repo_id}@{revision or 'main'}"
        if self.offline:
            return NotFound(
                f"{where} is not, or not whole, in the cache {self.cache}, and HF_HUB_OFFLINE=1 "
                "forbids asking the hub: unset it once, and pull"
            )
        return NotFound(f"{where}: the hub {self.endpoint} does not answer, nothing is cached")

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        """Turn the client's errors into ours."""
        import httpx2
        from huggingface_hub.errors import (
            EntryNotFoundError,
            HfHubHTTPError,
            HFValidationError,
            OfflineModeIsEnabled,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        try:
            yield
        except RepositoryNotFoundError as err:
            raise NotFound(
                f"{what}: {self.endpoint} has no such repository, or your token does not see it "
                "(HF_TOKEN, or hf auth login)"
            ) from err
        except (RevisionNotFoundError, EntryNotFoundError) as err:
            raise NotFound(f"{what}: {_words(err)}") from err
        except HFValidationError as err:
            raise UsageError(f"{what}: {_words(err)}") from err
        except HfHubHTTPError as err:
            status = err.response.status_code
            kind = Conflict if status in {409, 412} else HubError
            raise kind(f"{what}: {self.endpoint} answers {status}: {_words(err)}") from err
        except OfflineModeIsEnabled as err:
            raise UsageError(f"{what}: HF_HUB_OFFLINE=1 forbids asking the hub: unset it") from err
        except (httpx2.HTTPError, ConnectionError) as err:
            raise HubError(
                f"{what}: {self.endpoint} cannot be reached ({type(err).__name__}: {err}); check "
                "HF_ENDPOINT and the network, then repeat: what was sent is not sent again"
            ) from err
        except RuntimeError as err:  # how the client reports a transfer that failed in a thread
            if err.__cause__ is None:
                raise
            raise HubError(f"{what}: {err} {_words(err.__cause__)}; repeat it") from err


def _words(err: BaseException) -> str:
    """What the hub itself said: the last paragraph of the client's message."""
    text = getattr(err, "server_message", None) or str(err)
    lines = [line for line in str(text).splitlines() if line.strip()]
    return "\n".join(dict.fromkeys(lines))[:4_000]


@contextmanager
def _from(url: str, headers: Mapping[str, str], start: int) -> Iterator[Part]:
    """The bytes of a file from `start` on, as far as the hub sends them."""
    from huggingface_hub import get_session
    from huggingface_hub.utils._http import hf_raise_for_status

    asked = {**headers, "Accept-Encoding": "identity", "Range": f"bytes={start}-"}
    with get_session().stream("GET", url, headers=asked, follow_redirects=True) as reply:
        hf_raise_for_status(reply)
        yield Part(reply.status_code != 206, reply.iter_bytes(_PIECE_BYTES))


@contextmanager
def _locked(handle: int) -> Iterator[None]:
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_EX)  # released when the file is closed
    yield


@contextmanager
def _without_hint() -> Iterator[None]:
    """Hide the client's remark that an open file goes by the basic transfer: we ask for that."""

    def other(record: logging.LogRecord) -> bool:
        return "binary IO buffer" not in record.getMessage()

    logger = logging.getLogger("huggingface_hub._commit_api")
    logger.addFilter(other)
    try:
        yield
    finally:
        logger.removeFilter(other)
