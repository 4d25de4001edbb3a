"""What a commit does to a tree, and what a tree must be to be taken in.

Owns the meaning of the operations, the order of a commit (judgement, contents, revision, branch)
and the gate of the hub: every folder of a revision that holds an adapter's config and weights is
examined as at every other door (`adapters/gate/`), as far as that needs no base; pickles are
refused wherever they are, but for a skill's own folder.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from pydantic import JsonValue

from ...adapters.card import CARD_FILE
from ...adapters.errors import AdapterRefused, Problem
from ...adapters.gate.policy import check_adapter
from ...adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE
from .blobs import large, regular
from .disk import OPS, make_folder
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
    with _still_there(repo):
        contents = _Contents(repo, operations)
        added = contents.tree()
        base = repo.head(branch)
        _check_parent(header, base)
        judged: Tree | None = None
        while True:
            before = repo.commit(base).files
            files = apply(before, operations, added)
            if judged != files:
                check_tree(repo, files, before=before, options=options, where=contents.path)
                judged, card = files, _card(files, contents.path)
            with repo.locked():
                head = repo.head(branch)
                if head == base:
                    contents.keep()
                    commit = Commit(
                        parent=base,
                        title=header.title[:500] or "update",
                        message=header.message[:10_000],
                        author=author,
                        date=now(),
                        files=files,
                        card=card,
                    )
                    return repo.add_commit(commit, branch)
            base = head  # somebody was faster: judge again what the two make together
            _check_parent(header, base)


class _Contents:
    """The contents that a commit brings: waiting until it was judged, then the repository's."""

    def __init__(self, repo: Repo, operations: Sequence[Operation]) -> None:
        self._repo = repo
        self._adds = [op for op in operations if not isinstance(op, Delete)]
        self._here = {
            op.received.sha256: op.received for op in self._adds if isinstance(op, AddFile)
        }

    def tree(self) -> Tree:
        """Their entries, by path.

        Raises:
            Refusal: 400; one that should have been uploaded by itself was not.
        """
        return {op.path: self._entry(op) for op in self._adds}

    def path(self, sha256: str) -> Path:
        """Where a content lies now."""
        here = self._here.get(sha256)
        return self._repo.blobs.path(sha256) if here is None else here.path

    def keep(self) -> None:
        """Give each its name; the caller holds the repository's lock."""
        for received in self._here.values():
            self._repo.blobs.keep(received)
        for op in self._adds:  # a sweep may have come between
            if isinstance(op, AddLarge):
                self._entry(op)

    def _entry(self, op: AddFile | AddLarge) -> TreeFile:
        if isinstance(op, AddFile):
            return regular(op.received)
        size = self._repo.blobs.size(op.sha256)
        if size is None or (op.size is not None and op.size != size):
            raise Refusal(
                400, f"{op.path!a}: its content {op.sha256} was not uploaded to {self._repo.id}"
            )
        return large(op.sha256, size)


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


def check_tree(
    repo: Repo,
    files: Tree,
    *,
    before: Tree,
    options: HubOptions,
    where: Callable[[str], Path],
) -> None:
    """Whether a tree may be a revision; what was the same before is not examined again.

    Args:
        where: the path of a content, by digest.

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
            _examine(repo, folder, {name: where(file.sha256) for name, file in own.items()})


def _examine(repo: Repo, folder: str, files: Mapping[str, Path]) -> None:
    waiting = repo.folder.incoming
    make_folder(repo.folder.root, waiting)
    with tempfile.TemporaryDirectory(prefix=".tmp-gate-", dir=waiting) as staging:
        for name, path in files.items():
            OPS.link(path, Path(staging) / name)
        problems = check_adapter(Path(staging), None)
    if problems:
        subject = repo.id if folder == "." else f"{repo.id}/{folder}"
        raise Refusal(422, str(AdapterRefused(problems, subject)))


@contextmanager
def _still_there(repo: Repo) -> Iterator[None]:
    """A file that vanished while we worked means that the repository did."""
    try:
        yield
    except FileNotFoundError:
        with repo.locked():  # 404 where it was deleted or moved
            raise


def _check_parent(header: Header, head: str) -> None:
    if header.parent is not None and not head.startswith(header.parent):
        raise Refusal(
            412,
            f"A commit has happened since: the branch is at {head}, expected {header.parent}. "
            "Please refresh and try again.",
        )


def _card(files: Tree, where: Callable[[str], Path]) -> dict[str, JsonValue]:
    readme = files.get("README.md")
    if readme is None or readme.size > MAX_README_BYTES:
        return {}
    return front_matter(where(readme.sha256).read_text(encoding="utf-8", errors="replace"))
