"""Routes about revisions: listings of files, branches, tags, history, and the files themselves."""

from urllib.parse import parse_qsl

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from .documents import Ref, Tree
from .errors import Refusal, entry_not_found
from .names import DEFAULT_BRANCH
from .routes_repos import REPO
from .views import commit_view, file_view, folder_view, refs_view, tree_view
from .wire import (
    CallerOf,
    HubOf,
    JsonBody,
    RepoId,
    WritableRepo,
    body_bytes,
    json_object,
    next_link,
    part,
    text_of,
)

router = APIRouter()
_COMMITS_PAGE = 50
_MAX_PATHS = 1_000


@router.get(REPO + "/tree/{revision}")
@router.get(REPO + "/tree/{revision}/{path:path}")
def tree(hub: HubOf, caller: CallerOf, repo_id: RepoId, request: Request) -> Response:
    """Files and folders of a revision; pages follow the `Link` header."""
    repo = hub.repo(repo_id, caller)
    commit = repo.resolve(part(request, "revision"))
    folder = part(request, "path").strip("/") if "path" in request.path_params else ""
    recursive = request.query_params.get("recursive", "").lower() in {"1", "true"}
    found = tree_view(repo.commit(commit).files, folder, recursive=recursive)
    if found is None:
        raise entry_not_found(folder)
    after = request.query_params.get("cursor", "")
    rest = [entry for entry in found if str(entry["path"]) > after]
    page, headers = rest[: hub.options.limits.page], {"X-Repo-Commit": commit}
    if len(rest) > len(page):
        headers |= next_link(request, cursor=str(page[-1]["path"]))
    return JSONResponse(page, headers=headers)


@router.post(REPO + "/paths-info/{revision}")
async def paths_info(
    hub: HubOf, caller: CallerOf, repo_id: RepoId, request: Request
) -> list[dict[str, object]]:
    """What is known of some paths; those that do not exist are left out."""
    revision = part(request, "revision")
    await anyio.to_thread.run_sync(hub.repo, repo_id, caller)  # before the body is taken in
    raw = await body_bytes(request, hub.options.limits.json_bytes)
    asked = _paths(raw, request.headers.get("content-type", ""))

    def look() -> list[dict[str, object]]:
        repo = hub.repo(repo_id, caller)
        return _infos(repo.commit(repo.resolve(revision)).files, asked)

    return await anyio.to_thread.run_sync(look)


@router.get(REPO + "/refs")
def refs(hub: HubOf, caller: CallerOf, repo_id: RepoId) -> dict[str, object]:
    """Branches and tags."""
    repo = hub.repo(repo_id, caller)
    return refs_view(repo.refs("heads"), repo.refs("tags"))


@router.get(REPO + "/commits/{revision}")
def commits(hub: HubOf, caller: CallerOf, repo_id: RepoId, request: Request) -> Response:
    """The revisions up to one, newest first; pages follow the `Link` header."""
    repo = hub.repo(repo_id, caller)
    start = request.query_params.get("from") or repo.resolve(part(request, "revision"))
    page: list[dict[str, object]] = []
    headers = {}
    for found, commit in repo.history(repo.resolve(start)):
        if len(page) == min(_COMMITS_PAGE, hub.options.limits.page):
            headers = next_link(request, **{"from": found})
            break
        page.append(commit_view(found, commit))
    return JSONResponse(page, headers=headers)


@router.post(REPO + "/tag/{revision}")
def add_tag(
    hub: HubOf, caller: CallerOf, repo_id: RepoId, body: JsonBody, request: Request
) -> dict[str, object]:
    """A new tag at a revision."""
    repo = hub.writable(repo_id, caller)
    commit = repo.resolve(part(request, "revision"))
    message = text_of(body, "message", default="")[:1_000]
    repo.add_ref("tags", text_of(body, "tag"), Ref(commit=commit, message=message))
    return {}


@router.delete(REPO + "/tag/{tag}")
def remove_tag(repo: WritableRepo, request: Request) -> dict[str, object]:
    """Remove a tag."""
    repo.remove_ref("tags", part(request, "tag"))
    return {}


@router.post(REPO + "/branch/{branch}")
def add_branch(
    hub: HubOf, caller: CallerOf, repo_id: RepoId, body: JsonBody, request: Request
) -> dict[str, object]:
    """A new branch."""
    repo = hub.writable(repo_id, caller)
    commit = repo.resolve(text_of(body, "startingPoint", default=DEFAULT_BRANCH))
    repo.add_ref("heads", part(request, "branch"), Ref(commit=commit))
    return {}


@router.delete(REPO + "/branch/{branch}")
def remove_branch(repo: WritableRepo, request: Request) -> dict[str, object]:
    """Remove a branch."""
    repo.remove_ref("heads", part(request, "branch"))
    return {}


@router.api_route(
    "/{namespace}/{name}/resolve/{revision}/{path:path}",
    methods=["GET", "HEAD"],
    response_model=None,
)
def resolve(hub: HubOf, caller: CallerOf, repo_id: RepoId, request: Request) -> FileResponse:
    """A file of a revision, whole or in part (`Range`); never shown by a browser, only saved."""
    repo = hub.repo(repo_id, caller)
    commit = repo.resolve(part(request, "revision"))
    path = part(request, "path")
    file = repo.commit(commit).files.get(path)
    if file is None:
        missing = entry_not_found(path)
        missing.extra = {"X-Repo-Commit": commit}
        raise missing
    headers = {
        "ETag": f'"{file.sha256 if file.lfs else file.oid}"',
        "X-Repo-Commit": commit,
        "Content-Disposition": "attachment",
    }
    if file.lfs:
        headers["X-Linked-ETag"] = f'"{file.sha256}"'
        headers["X-Linked-Size"] = str(file.size)
    return FileResponse(
        repo.blobs.path(file.sha256), headers=headers, media_type="application/octet-stream"
    )


def _paths(raw: bytes, content_type: str) -> list[str]:
    if content_type.startswith("application/json"):
        given = json_object(raw).get("paths", [])
        return [str(path) for path in given] if isinstance(given, list) else [str(given)]
    try:
        fields = parse_qsl(raw.decode("utf-8", "replace"), max_num_fields=_MAX_PATHS + 10)
    except ValueError as err:
        raise Refusal(400, f"paths-info: at most {_MAX_PATHS} paths at a time") from err
    return [value for key, value in fields if key == "paths"]


def _infos(files: Tree, paths: list[str]) -> list[dict[str, object]]:
    found = []
    for name in (path.strip("/") for path in paths[:_MAX_PATHS]):
        if name in files:
            found.append(file_view(name, files[name]))
        elif any(other.startswith(f"{name}/") for other in files):
            found.append(folder_view(name, files))
    return found
