"""Routes by which files come in: how to send them, large contents, and commits.

A file may come inside the commit (every client can, whatever is installed beside it) or by itself
(basic transfer of git-lfs). Clients that have `hf_xet` send what comes by itself through a service
that this hub does not have, and nothing in their requests tells them apart; so a file comes by
itself only where it is too large for a commit, or where the client says in its user agent that it
can (ours does).
"""

import time
from urllib.parse import urlencode

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from .access import Grant, upload_refused
from .blobs import Received
from .commits import make_commit
from .documents import Tree
from .errors import Refusal
from .hub import Hub
from .names import check_file_path, check_sha256
from .ndjson import CommitReader
from .repo import Repo
from .routes_repos import REPO
from .wire import CallerOf, HubOf, JsonBody, RepoId, base_url, feed_from, part

router = APIRouter()
BASIC_CLIENT = "skillweave-transfer/basic"
_LARGE_BYTES = 1 << 20
_MAX_FILES = 1_000
_NO_XET = (
    "this hub has no xet service: files above {limit} bytes need HF_HUB_DISABLE_XET=1 where hf_xet "
    "is installed; smaller ones need nothing"
)


@router.post(REPO + "/preupload/{revision}")
def preupload(
    hub: HubOf, caller: CallerOf, repo_id: RepoId, body: JsonBody, request: Request
) -> Response:
    """How each file shall come, and which ones are here already."""
    repo = hub.writable(repo_id, caller)
    _no_pull_requests(request)
    files = repo.commit(repo.head(_branch(request))).files
    basic = BASIC_CLIENT in request.headers.get("user-agent", "")
    asked = body.get("files")
    if not isinstance(asked, list) or len(asked) > _MAX_FILES:
        raise Refusal(400, f"files: expected a list of at most {_MAX_FILES}")
    found = [_mode(item, files, hub=hub, basic=basic) for item in asked]
    headers = {}
    if not basic and any(entry["uploadMode"] == "lfs" for entry in found):
        hint = _NO_XET.format(limit=hub.options.limits.regular_bytes)
        headers["X-HF-Warning"] = f"xet; {hint}"  # the client shows it
    return JSONResponse({"files": found}, headers=headers)


@router.post("/{namespace}/{name}.git/info/lfs/objects/batch")
def batch(
    hub: HubOf, caller: CallerOf, repo_id: RepoId, body: JsonBody, request: Request
) -> dict[str, object]:
    """Addresses to which large contents are sent; none for what is here already."""
    repo = hub.writable(repo_id, caller)
    token = caller.require_write(repo.folder.namespace)
    asked = body.get("objects")
    if body.get("operation") != "upload" or not isinstance(asked, list) or len(asked) > _MAX_FILES:
        raise Refusal(400, f"expected operation 'upload' and at most {_MAX_FILES} objects")
    expires = int(time.time()) + hub.options.limits.upload_url_s
    found = []
    for item in asked:
        if not isinstance(item, dict):
            raise Refusal(400, "objects: expected objects with oid and size")
        sha256, size = check_sha256(item.get("oid")), _size(item)
        entry: dict[str, object] = {"oid": sha256, "size": size, "authenticated": True}
        if size > hub.options.limits.file_bytes:
            text = f"{size} bytes: this hub takes files of at most {hub.options.limits.file_bytes}"
            entry["error"] = {"code": 413, "message": text}
        elif repo.blobs.size(sha256) != size:
            grant = Grant(repo.id, repo.facts().uid, sha256, size, token.id, expires)
            query = {
                "size": size,
                "repo": grant.uid,
                "token": token.id,
                "expires": expires,
                "signature": grant.sign(hub.signing_key),
            }
            href = f"{base_url(request)}/api/models/{repo.id}/content/{sha256}?{urlencode(query)}"
            entry["actions"] = {"upload": {"href": href}}
        else:
            repo.blobs.touch(sha256)
        found.append(entry)
    return {"transfer": "basic", "objects": found}


@router.put(REPO + "/content/{sha256}")
async def put_content(hub: HubOf, repo_id: RepoId, request: Request) -> dict[str, object]:
    """One large content; kept only where its digest and size are what was announced."""
    repo, sha256, size = await anyio.to_thread.run_sync(_granted, hub, repo_id, request)
    with await anyio.to_thread.run_sync(repo.blobs.incoming, size) as incoming:
        await feed_from(request, incoming.feed)
        received = await anyio.to_thread.run_sync(incoming.finish)
        if received.size != size or received.sha256 != sha256:
            raise Refusal(
                400,
                f"got {received.size} bytes with SHA-256 {received.sha256}; announced were {size} "
                f"bytes with {sha256}. Nothing was kept; send it again",
            )
        await anyio.to_thread.run_sync(_keep, repo, received)
    return {}


@router.post(REPO + "/commit/{revision}")
async def commit(
    hub: HubOf, caller: CallerOf, repo_id: RepoId, request: Request
) -> dict[str, object]:
    """A new revision of a branch: lines of JSON, see `ndjson.py`."""
    repo = await anyio.to_thread.run_sync(hub.writable, repo_id, caller)
    _no_pull_requests(request)
    limits = hub.options.limits
    reader = CommitReader(lambda: repo.blobs.incoming(limits.regular_bytes), limits)
    try:
        await feed_from(request, reader.feed)
        header = reader.finish()
        found = await anyio.to_thread.run_sync(
            lambda: make_commit(
                repo,
                _branch(request),
                header=header,
                operations=reader.operations,
                author=caller.name,
                options=hub.options,
            )
        )
    finally:
        reader.discard()
    url = f"{base_url(request)}/{repo.id}/commit/{found}"
    return {"success": True, "commitOid": found, "commitUrl": url, "hookOutput": ""}


@router.get(REPO + "/xet-write-token/{revision}")
@router.get(REPO + "/xet-read-token/{revision}")
def no_xet(hub: HubOf, caller: CallerOf, repo_id: RepoId) -> None:
    """Says what to do where a client insists on xet."""
    hub.repo(repo_id, caller)
    raise Refusal(403, _NO_XET.format(limit=hub.options.limits.regular_bytes))


def _mode(item: object, files: Tree, *, hub: Hub, basic: bool) -> dict[str, object]:
    if not isinstance(item, dict):
        raise Refusal(400, "files: expected objects with path and size")
    path, size = check_file_path(item.get("path")), _size(item)
    if size > hub.options.limits.file_bytes:
        limit = hub.options.limits.file_bytes
        raise Refusal(413, f"{path!a} has {size} bytes: this hub takes at most {limit}")
    large = size > hub.options.limits.regular_bytes or (basic and size > _LARGE_BYTES)
    mode = "lfs" if large else "regular"
    known = files.get(path)
    entry: dict[str, object] = {"path": path, "uploadMode": mode, "shouldIgnore": False}
    if known is not None and known.lfs == large:
        entry["oid"] = known.sha256 if large else known.oid
    return entry


def _granted(hub: Hub, repo_id: str, request: Request) -> tuple[Repo, str, int]:
    query = request.query_params
    try:
        sha256 = check_sha256(part(request, "sha256"))
    except Refusal as err:
        raise upload_refused() from err
    numbers = [query.get("size", ""), query.get("expires", "")]
    if not all(n.isascii() and n.isdigit() and len(n) < 19 for n in numbers):
        raise upload_refused()
    size, expires = map(int, numbers)
    grant = Grant(repo_id, query.get("repo", ""), sha256, size, query.get("token", ""), expires)
    return hub.granted(grant, query.get("signature", "")), sha256, size


def _keep(repo: Repo, received: Received) -> None:
    with repo.locked():
        repo.blobs.keep(received)


def _size(item: dict[str, object]) -> int:
    size = item.get("size")
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise Refusal(400, f"size {str(size)[:40]!r}: expected a number of bytes")
    return size


def _branch(request: Request) -> str:
    return part(request, "revision").removeprefix("refs/heads/")


def _no_pull_requests(request: Request) -> None:
    if request.query_params.get("create_pr") in {"1", "true"}:
        raise Refusal(400, "this hub has no pull requests; commit to a branch")
