"""The list of files of a revision, taken from a hub that is not believed: bounded, and checked.

The client's own listing follows pages for as long as the hub names a next one, and holds each page
whole. Here pages, their bytes and their entries have bounds, a next page lies on the same hub, and
what is listed has the types that a listing has. Refuses to own which files are wanted and what they
may be called (`files.py`).
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from ..errors import HubError
from ..limits import DEFAULT_LIMITS, MiB
from .files import RemoteFile


@dataclass(frozen=True)
class Bounds:
    """How much of a listing is taken in."""

    entries: int = 5 * DEFAULT_LIMITS.files
    """Files and folders; those of an adapter, and slack for what lies beside it."""
    pages: int = 200
    """Answers; hubs give some hundred entries or a thousand in each."""
    page_bytes: int = 16 * MiB
    """One answer."""


DEFAULT_BOUNDS = Bounds()
_TIMEOUT_S = 30.0
_RETRIES = 2  # some three seconds
_OID = re.compile(r"[0-9a-f]{40}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def list_files(
    endpoint: str,
    repo_id: str,
    commit: str,
    *,
    headers: dict[str, str],
    bounds: Bounds = DEFAULT_BOUNDS,
) -> list[RemoteFile]:
    """All files of a revision.

    Raises:
        HubError: there is no end to them, or the answer is no listing.
    """
    found: list[RemoteFile] = []
    entries = 0
    for page in _pages(endpoint, repo_id, commit, headers, bounds):
        entries += len(page)
        if entries > bounds.entries:
            raise HubError(
                f"{repo_id} lists more than {bounds.entries} files and folders: that is no "
                "adapter's repository; publish the adapter in one of its own"
            )
        found += [file for entry in page if (file := _file(repo_id, entry)) is not None]
    return found


def remember(cache: Path, repo_id: str, commit: str, files: Sequence[RemoteFile]) -> None:
    """Tell the client's cache what a revision holds, so that it does not list it again."""
    from huggingface_hub._tree_cache import TreeCacheEntry, write_tree_cache
    from huggingface_hub.file_download import repo_folder_name

    folder = cache / repo_folder_name(repo_id=repo_id, repo_type="model")
    entries = {
        f.path: TreeCacheEntry(f.size, f.oid, f.sha256, f.size if f.sha256 else None, f.xet)
        for f in files
    }
    write_tree_cache(str(folder), commit, entries)


def _pages(
    endpoint: str, repo_id: str, commit: str, headers: dict[str, str], bounds: Bounds
) -> Iterator[list[object]]:
    first = f"{endpoint}/api/models/{repo_id}/tree/{quote(commit, safe='')}"
    url = f"{first}?recursive=true&expand=false"
    for _ in range(bounds.pages):
        body, following = _fetch(url, headers, bounds.page_bytes)
        try:
            page = json.loads(body)
        except (ValueError, RecursionError) as err:
            raise HubError(f"{repo_id}: the list of files is no JSON: {err}") from err
        if not isinstance(page, list):
            raise HubError(f"{repo_id}: the list of files is no list")
        yield page
        if following is None:
            return
        if urlsplit(following).netloc != urlsplit(endpoint).netloc:
            raise HubError(
                f"{repo_id}: the list of files goes on at {following[:200]!a}, which is not "
                f"{endpoint}; a hub behind a proxy is told its address by --url"
            )
        url = following
    raise HubError(f"{repo_id}: the list of files has more than {bounds.pages} pages")


def _fetch(url: str, headers: dict[str, str], limit: int) -> tuple[bytes, str | None]:
    from huggingface_hub.utils._http import hf_raise_for_status, http_stream_backoff

    with http_stream_backoff(
        "GET", url, headers=headers, timeout=_TIMEOUT_S, max_retries=_RETRIES
    ) as reply:
        hf_raise_for_status(reply)
        body = bytearray()
        for piece in reply.iter_bytes():
            body += piece
            if len(body) > limit:
                raise HubError(f"a page of the list of files has more than {limit} bytes")
        following = reply.links.get("next", {}).get("url")
    return bytes(body), following


def _file(repo_id: str, entry: object) -> RemoteFile | None:
    """A file of a listing; None for a folder."""
    if not isinstance(entry, dict):
        raise _strange(repo_id, entry)
    if entry.get("type") == "directory":
        return None
    path, size, oid = entry.get("path"), entry.get("size"), entry.get("oid")
    large, xet = entry.get("lfs") or {}, entry.get("xetHash")
    if not (isinstance(path, str) and type(size) is int and size >= 0):
        raise _strange(repo_id, entry)
    if not (isinstance(oid, str) and _OID.fullmatch(oid)):  # it names a file of the cache
        raise _strange(repo_id, entry)
    if not isinstance(large, dict):
        raise _strange(repo_id, entry)
    sha256 = large.get("oid")
    if not (sha256 is None or _is_digest(sha256)):
        raise _strange(repo_id, entry)
    return RemoteFile(path, size, oid, sha256, xet if _is_digest(xet) else None)


def _strange(repo_id: str, entry: object) -> HubError:
    return HubError(f"{repo_id}: the list of files holds {str(entry)[:200]!a}")


def _is_digest(text: object) -> bool:
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None
