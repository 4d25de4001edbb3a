"""Push a version to a hub. With `pull`, which lives beside it, the door between store and hub.

What is pushed is one revision, made on top of the one that was looked at. `HF_ENDPOINT`,
`HF_TOKEN`, `HF_HOME` and `HF_HUB_OFFLINE` are the client's and mean what they mean there. Owns the
order of the steps and what "private by default" means. Refuses to own files (`files.py`), the
model card (`model_card.py`), licences (`licences.py`) and how the client is used (`client.py`).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from ..artifact import skill_dir_of
from ..errors import Conflict, HubError, NotFound, UsageError
from ..licences import Source, publishable
from ..store.types import Version
from . import files as hub_files
from .client import HubClient, RepoState, Where, check_tag
from .model_card import About, model_card
from .pull import pull
from .types import PlannedFile, Pushed, PushPlan

DEFAULT_BRANCH = "main"
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,98}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def licence_for(
    sources: Sequence[Source], *, private: bool, stated: str | None = None
) -> str | None:
    """What the model card says of the licence.

    Args:
        sources: what the adapter was made of.
        stated: what the publisher says of the whole.

    Raises:
        UsageError: public, and the licences do not allow it or are not known; says what to state.
    """
    found = publishable(sources, stated=stated)
    if found.licence is None and not private:
        reasons = "\n".join(f"  - {problem}" for problem in found.problems)
        raise UsageError(f"not publishable for everybody:\n{reasons}\nA private push needs nothing")
    return found.licence


def plan_push(
    version: Version,
    repo_id: str,
    *,
    private: bool = True,
    branch: str = DEFAULT_BRANCH,
    evidence: Sequence[Mapping[str, object]] = (),
    licence: str | None = None,
    where: Where | None = None,
) -> PushPlan:
    """What `push` with the same arguments would do; asks the hub only to read, and not offline.

    Raises:
        NotFound: no such branch. HubError: the hub cannot be reached.
    """
    hub = HubClient(where)
    files = _files(version, repo_id, evidence, licence)
    state = None if hub.offline else hub.state(repo_id, branch)
    remote = None if state is None else list(state.files)
    return PushPlan(
        repo_id=repo_id,
        endpoint=hub.endpoint,
        private=private,
        exists=None if state is None else state.head is not None,
        head=None if state is None else state.head,
        licence=licence,
        files=hub_files.changes(files, remote),
    )


def push(
    version: Version,
    repo_id: str,
    *,
    private: bool = True,
    branch: str = DEFAULT_BRANCH,
    message: str | None = None,
    tags: Sequence[str] = (),
    evidence: Sequence[Mapping[str, object]] = (),
    licence: str | None = None,
    where: Where | None = None,
) -> Pushed:
    """Publish a version as one revision. Repeated after a kill, it sends only what is missing.

    Args:
        repo_id: `namespace/name`; made if missing.
        private: False publishes for everybody, and needs `licence`.
        branch: which branch gets the revision; made if missing.
        tags: put on the new revision.
        evidence: the version's attestations.
        licence: from `licence_for`.

    Raises:
        UsageError: offline, or public without a licence.
        Conflict: the repository is public and `private` was asked or the other way round; somebody
            else pushed meanwhile; or a tag exists elsewhere.
        HubError: the hub cannot be reached or refuses; its words are in the message.
    """
    hub = HubClient(where)
    hub.require_online("push")
    if not private and licence is None:
        raise UsageError("a public push needs a licence; see licence_for")
    for name in (branch, *tags):
        _check_ref(name)
    files = _files(version, repo_id, evidence, licence)
    seen = hub.private(repo_id)
    if seen is not None:
        if seen != private:
            raise Conflict(_visibility(repo_id, private=seen))
        _check_tags(hub, repo_id, branch, tags=tags, files=files)
    hub.ensure_repo(repo_id, private=private)
    state = hub.state(repo_id, branch, make_branch=True)
    if state.private is not None and state.private != private:
        raise Conflict(_visibility(repo_id, private=state.private))
    planned = hub_files.changes(files, list(state.files))
    commit = state.head or ""
    if any(file.change != "same" for file in planned):
        commit = hub.commit(
            repo_id,
            branch,
            send={f.path: files[f.path] for f in planned if f.change in {"new", "changed"}},
            delete=[f.path for f in planned if f.change == "deleted"],
            message=message or f"{version.ref} ({version.version_digest[:12]})",
            parent=state.head,
        )
    put_tags(hub, repo_id, commit, tags)
    return Pushed(commit, tuple(files), f"{hub.endpoint}/{repo_id}/tree/{commit}")


class Tagger(Protocol):
    """What puts a tag on a revision."""

    def tag(self, repo_id: str, tag: str, commit: str) -> None:
        """As of `HubClient`."""


def put_tags(hub: Tagger, repo_id: str, commit: str, tags: Sequence[str]) -> None:
    """Tag a revision that is published; a failure says that it is.

    Raises:
        Conflict, HubError, NotFound, UsageError: as the hub's client does.
    """
    for tag in tags:
        try:
            hub.tag(repo_id, tag, commit)
        except (Conflict, HubError, NotFound, UsageError) as err:
            text = f"{repo_id}: revision {commit} is published, the tag {tag!r} is not: {err}"
            raise type(err)(text) from err


def _files(
    version: Version,
    repo_id: str,
    evidence: Sequence[Mapping[str, object]],
    licence: str | None,
) -> dict[str, hub_files.Content]:
    about = About(
        repo_id=repo_id,
        ref=version.ref,
        version_digest=version.version_digest,
        weights_digest=version.weights_digest,
        licence=licence,
        has_skill=skill_dir_of(version.path) is not None,
    )
    readme = model_card(version.card, about, evidence)
    return hub_files.files_to_push(version, evidence, readme)


def _check_ref(name: str) -> None:
    """Raises UsageError: no name of a branch or a tag; said before anything is made."""
    parts = name.split("/")
    odd = any(not p or p.startswith(".") or p.endswith((".", ".lock")) for p in parts)
    if not _REF.fullmatch(name) or ".." in name or odd or _COMMIT.fullmatch(name):
        raise UsageError(
            f"{name[:80]!r} cannot name a branch or a tag: expected up to 99 letters, digits and "
            ". _ / + -, and no 40-digit commit"
        )


def _check_tags(
    hub: HubClient,
    repo_id: str,
    branch: str,
    *,
    tags: Sequence[str],
    files: Mapping[str, hub_files.Content],
) -> None:
    """Raises Conflict: a tag is there, and not on what this push would make or find."""
    there = hub.tags(repo_id) if tags else {}
    taken = [tag for tag in tags if tag in there]
    if not taken:
        return
    try:
        state = hub.state(repo_id, branch)
    except NotFound:  # the branch shall be made
        state = RepoState(None, None, ())
    planned = hub_files.changes(files, list(state.files))
    same = all(file.change == "same" for file in planned)
    for tag in taken:
        after = (state.head or "") if same else "the revision that this push would make"
        check_tag(repo_id, tag, after, at=there[tag])


def _visibility(repo_id: str, *, private: bool) -> str:
    if private:
        return (
            f"{repo_id} exists and is private; publishing it would publish its earlier revisions "
            "as well. Choose another, or make that one public yourself and push again"
        )
    return f"{repo_id} is public: say --public to push there, or choose a private repository"


__all__ = [
    "PlannedFile",
    "PushPlan",
    "Pushed",
    "Where",
    "licence_for",
    "plan_push",
    "pull",
    "push",
]
