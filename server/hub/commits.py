"""What a commit does to a tree, and what a tree must be to be taken in.

Owns the meaning of the operations, the order of a commit (contents, judgement, revision, branch)
and the gate of the hub: every folder of a revision that holds an adapter's config and weights is
examined as at every other door (`adapters/gate/`), as far as that needs no base; pickles are
refused wherever they are, but for a skill's own folder.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from pydantic import JsonValue

from ...adapters.card import CARD_FILE
from ...adapters.errors import AdapterRefused, Problem
from ...adapters.gate.policy import check_adapter
from ...adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE
from .documents import Commit, Tree, TreeFile
from .errors import Refusal, entry_not_found
from .hub import HubOptions
from .ndjson import AddFile, AddLarge, Delete, Header, Operation
from .readme import MAX_README_BYTES, front_matter
from .repo import Repo, now

_PICKLES = frozenset({".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth"})
_EXAMINED = (CONFIG_FILE, WEIGHTS_FILE, CARD_FILE)


def make_commit(
    repo: Repo,
    branch: str,
    *,
    header: Header,
    operations: Sequence[Operation],
    author: str,
    options: HubOptions,
) -> str:
    """Apply operations to the head of a branch; returns the id of the new revision.

    Raises:
        Refusal: 412, the branch is not where the client thought; 400, 404, 413 or 422 for what the
            operations ask.
    """
    contents = {op.path: _keep(repo, op) for op in operations if not isinstance(op, Delete)}
    base = repo.head(branch)
    _check_parent(header, base)
    judged: Tree | None = None
    while True:
        files = apply(repo.commit(base).files, operations, contents)
        if judged != files:
            check_tree(repo, files, before=repo.commit(base).files, options=options)
            judged = files
        with repo.locked():
            head = repo.head(branch)
            if head == base:
                commit = Commit(
                    parent=base,
                    title=header.title[:500] or "update",
                    message=header.message[:10_000],
                    author=author,
                    date=now(),
                    files=files,
                    card=_card(repo, files),
                )
                return repo.add_commit(commit, branch)
        base = head  # somebody was faster: judge again what the two make together
        _check_parent(header, base)


def apply(tree: Tree, operations: Sequence[Operation], contents: Tree) -> Tree:
    """The tree after a commit. Pure.

    Raises:
        Refusal: 404, a deletion of what is not there; 400, a file where a folder is.
    """
    files = dict(tree)
    for op in operations:
        if not isinstance(op, Delete):
            files[op.path] = contents[op.path]
            continue
        gone = [p for p in files if p.startswith(f"{op.path}/")] if op.folder else [op.path]
        if not gone or not all(path in files for path in gone):
            raise entry_not_found(op.path)
        for path in gone:
            del files[path]
    folders = {str(folder) for path in files for folder in PurePosixPath(path).parents}
    clash = sorted(folders & set(files))
    if clash:
        raise Refusal(400, f"{clash[0]!a} would be a file and a folder")
    return dict(sorted(files.items()))


def check_tree(repo: Repo, files: Tree, *, before: Tree, options: HubOptions) -> None:
    """Whether a tree may be a revision; what was the same before is not examined again.

    Raises:
        Refusal: 413, too many files; 422, the gate's report.
    """
    if len(files) > options.limits.tree_files:
        raise Refusal(413, f"{len(files)} files: at most {options.limits.tree_files} in a revision")
    if not options.gate:
        return
    pickles = [p for p in files if PurePosixPath(p).suffix.lower() in _PICKLES]
    pickles = [p for p in pickles if "skill" not in PurePosixPath(p).parts[:-1]]
    if pickles:
        found = Problem(
            "bad_weights_file",
            f"{', '.join(pickles[:3])}: this hub keeps safetensors only",
            "save the adapter again with safe_serialization=True; a pickle can run code",
        )
        raise Refusal(422, str(AdapterRefused([found], repo.id)))
    for folder in sorted({str(PurePosixPath(p).parent) for p in files}):
        names = {name: str(PurePosixPath(folder) / name) for name in _EXAMINED}
        own = {name: files[path] for name, path in names.items() if path in files}
        same = all(before.get(names[name]) == file for name, file in own.items())
        if CONFIG_FILE in own and WEIGHTS_FILE in own and not same:
            _examine(repo, folder, own)


def _examine(repo: Repo, folder: str, own: dict[str, TreeFile]) -> None:
    with tempfile.TemporaryDirectory(prefix=".tmp-gate-", dir=repo.folder.path) as staging:
        for name, file in own.items():
            os.link(repo.blobs.path(file.sha256), Path(staging) / name)
        problems = check_adapter(Path(staging), None)
    if problems:
        where = repo.id if folder == "." else f"{repo.id}/{folder}"
        raise Refusal(422, str(AdapterRefused(problems, where)))


def _keep(repo: Repo, op: AddFile | AddLarge) -> TreeFile:
    if isinstance(op, AddFile):
        repo.blobs.keep(op.received)
        return repo.blobs.regular(op.received.sha256)
    size = repo.blobs.size(op.sha256)
    if size is None or (op.size is not None and op.size != size):
        raise Refusal(400, f"{op.path!a}: its content {op.sha256} was not uploaded to {repo.id}")
    return repo.blobs.large(op.sha256, size)


def _check_parent(header: Header, head: str) -> None:
    if header.parent is not None and not head.startswith(header.parent):
        raise Refusal(
            412,
            f"A commit has happened since: the branch is at {head}, expected {header.parent}. "
            "Please refresh and try again.",
        )


def _card(repo: Repo, files: Tree) -> dict[str, JsonValue]:
    readme = files.get("README.md")
    if readme is None or readme.size > MAX_README_BYTES:
        return {}
    return front_matter(
        repo.blobs.path(readme.sha256).read_text(encoding="utf-8", errors="replace")
    )
