"""Routes about repositories as a whole: who am I, create, list, show, settings, move, delete."""

import logging

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ...adapters.errors import StoreError
from .access import Caller
from .documents import RepoFacts
from .errors import Refusal, invalid_token
from .hub import Hub
from .names import DEFAULT_BRANCH
from .readme import front_matter, tags_of
from .repo import Repo
from .views import model_view
from .wire import CallerOf, HubOf, JsonBody, RepoId, base_url, next_link, part, text_of

router = APIRouter()
REPO = "/api/models/{namespace}/{name}"
log = logging.getLogger(__name__)
_TRUE = frozenset({"1", "true", "True"})
_DATES = frozenset({"createdAt", "lastModified"})
_ALWAYS_EQUAL = frozenset({"downloads", "likes", "trendingScore"})  # nothing is counted here
_MAX_DIGITS = 9


@router.get("/health")
def health() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}


@router.get("/api/whoami-v2")
def whoami(caller: CallerOf) -> dict[str, object]:
    """The token's name and reach."""
    token = caller.token
    if token is None:
        raise invalid_token()
    role = "write" if token.write else "read"
    return {
        "type": "user",
        "id": token.id,
        "name": token.name,
        "fullname": token.name,
        "email": None,
        "isPro": False,
        "orgs": [{"name": n} for n in token.namespaces if n != token.name and "*" not in n],
        "auth": {"type": "access_token", "accessToken": {"displayName": token.name, "role": role}},
    }


@router.post("/api/validate-yaml")
def validate_yaml(caller: CallerOf, body: JsonBody) -> Response:
    """Whether the YAML block of a README can be read; for those who may upload one."""
    if caller.token is None:
        raise invalid_token()
    try:
        front_matter(text_of(body, "content"))
    except Refusal as err:
        return JSONResponse({"errors": [{"message": err.message}], "warnings": []}, 400)
    return JSONResponse({"errors": [], "warnings": []})


@router.post("/api/repos/create")
def create(hub: HubOf, caller: CallerOf, body: JsonBody, request: Request) -> dict[str, object]:
    """A new repository; private unless the request says otherwise."""
    _models_only(body)
    namespace = body.get("organization")
    owner = None if namespace is None else text_of(body, "organization")
    private = _private(body)
    name = text_of(body, "name")
    try:
        repo = hub.create(owner, name, private=private is not False, caller=caller)
    except Refusal as err:
        if err.status == 409:  # `exist_ok` of the client reads the address from the refusal
            err.details = {"url": f"{base_url(request)}/{owner or caller.name}/{name}"}
        raise
    return {"url": f"{base_url(request)}/{repo.id}", "name": repo.id, "id": repo.facts().uid}


@router.delete("/api/repos/delete")
def delete(hub: HubOf, caller: CallerOf, body: JsonBody) -> dict[str, object]:
    """Remove a repository."""
    _models_only(body)
    owner = text_of(body, "organization", default=caller.name)
    hub.delete(f"{owner}/{text_of(body, 'name')}", caller)
    return {}


@router.post("/api/repos/move")
def move(hub: HubOf, caller: CallerOf, body: JsonBody) -> dict[str, object]:
    """Give a repository another name."""
    _models_only(body)
    hub.move(text_of(body, "fromRepo"), text_of(body, "toRepo"), caller)
    return {}


@router.put(REPO + "/settings")
def settings(hub: HubOf, caller: CallerOf, repo_id: RepoId, body: JsonBody) -> dict[str, object]:
    """Change who sees a repository."""
    repo = hub.writable(repo_id, caller)
    private = _private(body)
    if private is None:
        raise Refusal(400, "settings: expected private or visibility; this hub has no others")
    with repo.locked():
        repo.write_facts(repo.facts().model_copy(update={"private": private}))
    return {"private": private}


@router.get("/api/models")
def list_models(hub: HubOf, caller: CallerOf, request: Request) -> Response:
    """Repositories that the caller sees, by name or as `sort` and `direction` say.

    Pages follow the `Link` header: `after` is the place, value and name, of the last one shown.
    """
    query = request.query_params
    limit = min(_number(query.get("limit"), hub.options.limits.page), hub.options.limits.page)
    sort, downwards = _order(query.get("sort"), query.get("direction"))
    after = tuple(query.get("after", "").split("|", 1))
    places = [
        ((_value(repo, facts, sort), repo.id), repo)
        for repo, facts in hub.visible(caller)
        if _may_be_listed(repo, request)
    ]
    places.sort(key=lambda place: place[0], reverse=downwards)
    found: list[dict[str, object]] = []
    last = ""
    for place, repo in places:
        if after != ("",) and not (place < after if downwards else place > after):
            continue
        view = _listed(repo, request)
        if view is None:
            continue
        if len(found) == limit:
            return JSONResponse(found, headers=next_link(request, after=last))
        found.append(view)
        last = "|".join(place)
    return JSONResponse(found)


@router.get(REPO)
def show(hub: HubOf, caller: CallerOf, repo_id: RepoId, request: Request) -> dict[str, object]:
    """A repository at its main branch."""
    return _show(hub, caller, repo_id, DEFAULT_BRANCH, request)


@router.get(REPO + "/revision/{revision}")
def show_at(hub: HubOf, caller: CallerOf, repo_id: RepoId, request: Request) -> dict[str, object]:
    """A repository at a branch, a tag or a commit."""
    return _show(hub, caller, repo_id, part(request, "revision"), request)


@router.get(REPO + "/auth-check")
def auth_check(hub: HubOf, caller: CallerOf, repo_id: RepoId) -> dict[str, object]:
    """Whether the caller may read it."""
    hub.repo(repo_id, caller)
    return {}


@router.get(REPO + "/auth-check/write")
def auth_check_write(hub: HubOf, caller: CallerOf, repo_id: RepoId) -> dict[str, object]:
    """Whether the caller may change it."""
    hub.writable(repo_id, caller)
    return {}


def _show(
    hub: Hub, caller: Caller, repo_id: str, revision: str, request: Request
) -> dict[str, object]:
    repo = hub.repo(repo_id, caller)
    head = repo.resolve(revision)
    blobs = request.query_params.get("blobs") in _TRUE
    return model_view(repo.facts(), head=head, commit=repo.commit(head), blobs=blobs)


def _order(sort: str | None, direction: str | None) -> tuple[str | None, bool]:
    """What to sort by, and whether the greatest comes first: dates the newest, names from A."""
    if direction not in {None, "1", "-1"}:
        raise Refusal(400, f"direction {direction[:40]!a}: expected 1 or -1")
    if sort is None:
        return None, direction == "-1"
    if sort in _ALWAYS_EQUAL:  # by name then, whatever the direction of equal values
        return None, False
    if sort not in _DATES:
        known = ", ".join(sorted(_DATES | _ALWAYS_EQUAL))
        raise Refusal(400, f"sort {sort[:40]!a}: expected one of {known}")
    return sort, direction != "1"


def _value(repo: Repo, facts: RepoFacts, sort: str | None) -> str:
    if sort == "createdAt":
        return facts.created_at
    if sort is None:
        return ""
    try:
        return repo.commit(repo.head()).date
    except (Refusal, StoreError):  # deleted since it was enumerated, or damaged: not listed below
        return ""


def _may_be_listed(repo: Repo, request: Request) -> bool:
    author, search = request.query_params.get("author"), request.query_params.get("search", "")
    return author in {None, "", repo.folder.namespace} and search.lower() in repo.id.lower()


def _listed(repo: Repo, request: Request) -> dict[str, object] | None:
    query = request.query_params
    try:
        head = repo.head()
        commit, facts = repo.commit(head), repo.facts()
    except Refusal:  # deleted since it was enumerated
        return None
    except StoreError as err:
        log.error("passed over in a listing: %s", err)
        return None
    wanted = [*query.getlist("filter"), *query.getlist("pipeline_tag")]
    wanted = [tag for text in wanted for tag in text.split(",") if tag]
    if not set(wanted) <= set(tags_of(commit.card)):
        return None
    return model_view(facts, head=head, commit=commit, files=query.get("full") in _TRUE)


def _models_only(body: dict[str, object]) -> None:
    kind = body.get("type") or "model"
    if kind != "model":
        raise Refusal(400, f"type {str(kind)[:40]!r}: this hub keeps models (adapters) only")


def _private(body: dict[str, object]) -> bool | None:
    visibility, private = body.get("visibility"), body.get("private")
    if visibility is not None and visibility not in {"public", "private"}:
        raise Refusal(400, f"visibility {str(visibility)[:40]!r}: expected public or private")
    if private is not None and not isinstance(private, bool):
        raise Refusal(400, "private: expected true or false")
    return visibility == "private" if visibility is not None else private


def _number(text: str | None, default: int) -> int:
    """A positive number of few digits, else the default."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        return default
    return int(text) or default
