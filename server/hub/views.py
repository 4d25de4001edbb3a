"""What clients are told about repositories and files: the JSON forms of `huggingface_hub`. Pure.

Owns those forms. Refuses to own what may be seen (`hub.py`).
"""

from pathlib import PurePosixPath

from .documents import Commit, Ref, RepoFacts, Tree, TreeFile, pointer_of, tree_oid
from .readme import tags_of

_REPEATED = ("library_name", "pipeline_tag")


def model_view(
    facts: RepoFacts,
    *,
    head: str,
    commit: Commit,
    files: bool = True,
    blobs: bool = False,
) -> dict[str, object]:
    """A repository at one revision.

    Args:
        files: with the names of its files. blobs: with their sizes and digests as well.
    """
    found: dict[str, object] = {
        "_id": facts.uid,
        "id": facts.id,
        "modelId": facts.id,
        "author": facts.id.partition("/")[0],
        "sha": head,
        "private": facts.private,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": tags_of(commit.card),
        "createdAt": facts.created_at,
        "lastModified": commit.date,
        "cardData": commit.card,
        "usedStorage": sum({f.sha256: f.size for f in commit.files.values()}.values()),
        **{key: commit.card[key] for key in _REPEATED if isinstance(commit.card.get(key), str)},
    }
    if files:
        found["siblings"] = [_sibling(path, f, blobs=blobs) for path, f in commit.files.items()]
    return found


def file_view(path: str, file: TreeFile) -> dict[str, object]:
    """A file in a listing."""
    found: dict[str, object] = {
        "type": "file",
        "path": path,
        "size": file.size,
        "oid": file.oid,
    }
    if file.lfs:
        found["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": _pointer_size(file)}
    return found


def folder_view(path: str, files: Tree) -> dict[str, object]:
    """A folder in a listing."""
    return {"type": "directory", "path": path, "size": 0, "oid": tree_oid(path, files)}


def tree_view(files: Tree, folder: str, *, recursive: bool) -> list[dict[str, object]] | None:
    """What lies in a folder ("" for the root), by path; None where there is no such folder."""
    prefix = f"{folder}/" if folder else ""
    inside = {path: f for path, f in files.items() if path.startswith(prefix)}
    if folder and not inside:
        return None
    folders = {
        str(above)
        for path in inside
        for above in PurePosixPath(path).parents
        if str(above) != "." and str(above).startswith(prefix)
    }
    found = [folder_view(path, files) for path in folders]
    found += [file_view(path, file) for path, file in inside.items()]
    if not recursive:
        found = [f for f in found if "/" not in str(f["path"])[len(prefix) :]]
    return sorted(found, key=lambda entry: str(entry["path"]))


def refs_view(heads: dict[str, Ref], tags: dict[str, Ref]) -> dict[str, object]:
    """All branches and tags."""
    return {
        "branches": [_ref("heads", name, ref) for name, ref in heads.items()],
        "tags": [_ref("tags", name, ref) for name, ref in tags.items()],
        "converts": [],
        "pullRequests": [],
    }


def commit_view(commit_id: str, commit: Commit) -> dict[str, object]:
    """A revision in the list of revisions."""
    return {
        "id": commit_id,
        "title": commit.title,
        "message": commit.message,
        "date": commit.date,
        "authors": [{"user": commit.author}],
    }


def _ref(kind: str, name: str, ref: Ref) -> dict[str, object]:
    found = {"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": ref.commit}
    return {**found, "message": ref.message} if ref.message else dict(found)


def _sibling(path: str, file: TreeFile, *, blobs: bool) -> dict[str, object]:
    if not blobs:
        return {"rfilename": path}
    found: dict[str, object] = {"rfilename": path, "size": file.size, "blobId": file.oid}
    if file.lfs:
        found["lfs"] = {
            "sha256": file.sha256,
            "size": file.size,
            "pointerSize": _pointer_size(file),
        }
    return found


def _pointer_size(file: TreeFile) -> int:
    return len(pointer_of(file.sha256, file.size))
