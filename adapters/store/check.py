"""Prove a store (`fsck`) and free what nothing names (`collect`).

Owns the walk over all of it. `fsck` changes nothing; `collect` removes only what is provably
unused and refuses to run on a store whose names it cannot read. Refuses to own repairs.

Evidence has no digest: `fsck` sees that it can be read, not that it is what was attested.

Codes of `fsck`: bad_entry missing_object corrupt_object bad_alias dangling_alias no_default
corrupt_rows missing_rows bad_attestation bad_base corrupt_blob stray
"""

import os
import time
from collections.abc import Collection
from pathlib import Path

from ..artifact import artifact_digests, left_behind, read_card
from ..errors import NotFound, Problem, SkillweaveError, StoreError
from ..file_ops import FileOps
from ..names import DEFAULT_ALIAS, AdapterId
from ..text import some
from . import blobs as store_blobs
from .layout import TEMPORARY, Layout, children
from .names import read_alias, read_entry
from .objects import attestations, get_rows, known_base
from .types import GcReport


def fsck(layout: Layout) -> list[Problem]:
    """Read every file of the store and compare it with every digest; empty when all is well."""
    problems: list[Problem] = []
    entries: dict[str, set[str]] = {}
    known = {adapter_id.folder for adapter_id in layout.ids()}
    problems += [
        Problem("stray", f"names/{name} is no adapter's folder", "move it out of the store")
        for name in children(layout.root / "names")
        if name not in known
    ]
    for adapter_id in layout.ids():
        for base in children(layout.root / "names" / adapter_id.folder):
            problems += _check_name(layout, adapter_id, base, entries)
    for digest in children(layout.root / "objects"):
        problems += _check_object(layout, digest, entries.get(digest, set()))
    problems += _check_lost_names(layout)
    problems += store_blobs.check(layout)
    problems += _check_documents(layout)
    return problems


def collect(
    layout: Layout, ops: FileOps, *, keep: Collection[str] = (), rows_min_age_s: float = 86_400.0
) -> GcReport:
    """Remove unfinished work, objects that no version means, and rows that no object names.

    The caller holds the store's lock exclusively, so no writer is at work.

    Args:
        keep: version digests to keep although nothing names them (served right now).
        rows_min_age_s: rows younger than this are kept, a training run may still need them.

    Raises:
        StoreError: a version entry or the card of a kept object cannot be read.
    """
    used = set(keep)
    for adapter_id in layout.ids():
        for base in layout.bases(adapter_id):
            for number in layout.numbers(adapter_id, base):
                used.add(read_entry(layout, adapter_id, base, number).version_digest)
    doomed = _unfinished(layout.root)
    doomed += [
        layout.aliases(adapter_id, base) / f"{alias}.json"
        for adapter_id, base in layout.alias_folders()
        if not layout.numbers(adapter_id, base)
        for alias in layout.alias_names(adapter_id, base)
    ]
    rows = set()
    for digest in children(layout.root / "objects"):
        if digest in used:
            rows.add(read_card(layout.object(digest)).data_digest)
        else:
            doomed.append(layout.object(digest))
    newest = time.time() - rows_min_age_s
    doomed += [
        layout.rows(digest)
        for name in children(layout.root / "rows")
        if (digest := name.removesuffix(".jsonl")) not in rows
        and layout.rows(digest).stat().st_mtime <= newest
    ]
    freed = _remove(ops, doomed)
    blobs = store_blobs.unused(layout)  # known only now that the objects are gone
    freed += _remove(ops, blobs)
    names = sorted(path.relative_to(layout.root).as_posix() for path in (*doomed, *blobs))
    return GcReport(tuple(names), freed)


def _remove(ops: FileOps, doomed: list[Path]) -> int:
    """Remove files and folders; the bytes that this frees.

    Folders lose their names first, durably: whatever happens then, no torso has an object's name.
    """
    freed = sum(_size(path) for path in doomed)
    folders = [path for path in doomed if path.is_dir()]
    files = [path for path in doomed if not path.is_dir()]
    hidden = [p.with_name(f"{TEMPORARY}gone-{p.name.removeprefix(TEMPORARY)}") for p in folders]
    for path, name in zip(folders, hidden, strict=True):
        ops.rename(path, name)
    for parent in sorted({path.parent for path in folders}):
        ops.sync_folder(parent)
    for name in hidden:
        ops.remove_tree(name)
    for path in files:
        ops.unlink(path)
    return freed


def _unfinished(root: Path) -> list[Path]:
    found = []
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        found += [here / name for name in (*folders, *files) if name.startswith(TEMPORARY)]
        in_objects = here.parent == root and here.name == "objects"
        folders[:] = [] if in_objects else [n for n in folders if not n.startswith(TEMPORARY)]
    return found


def _size(path: Path) -> int:
    """Bytes that removing a path frees; a file with another name frees nothing."""
    files = [path] if path.is_file() else [f for f in path.rglob("*") if not f.is_dir()]
    sizes = [file.lstat() for file in files]
    return sum(found.st_size for found in sizes if found.st_nlink == 1)


def _check_name(
    layout: Layout, adapter_id: AdapterId, base: str, entries: dict[str, set[str]]
) -> list[Problem]:
    problems = []
    for number in layout.numbers(adapter_id, base):
        try:
            entry = read_entry(layout, adapter_id, base, number)
        except (StoreError, NotFound) as err:
            remedy = "remove the file and add the adapter again"
            problems.append(Problem("bad_entry", str(err), remedy))
            continue
        entries.setdefault(entry.version_digest, set()).add(entry.weights_digest)
        if not layout.object(entry.version_digest).is_dir():
            text = f"{adapter_id}@{number} means the object {entry.version_digest}, which is gone"
            problems.append(Problem("missing_object", text, "remove the version, add it again"))
    numbers, names = layout.numbers(adapter_id, base), layout.alias_names(adapter_id, base)
    all_removed = not numbers and layout.used_numbers(adapter_id, base)  # gc frees their aliases
    for alias in () if all_removed else names:
        try:
            at = read_alias(layout, adapter_id, base, alias).version
        except StoreError as err:
            problems.append(Problem("bad_alias", str(err), "delete the file and tag it anew"))
            continue
        if at not in numbers:
            text = f"alias {alias!r} of {adapter_id} is at version {at}, which does not exist"
            problems.append(Problem("dangling_alias", text, "tag it anew"))
    if numbers and DEFAULT_ALIAS not in names:
        text = (
            f"{adapter_id} has versions and no alias {DEFAULT_ALIAS!r}, so its name means nothing"
        )
        remedy = f"tag {adapter_id} {DEFAULT_ALIAS} {numbers[-1]}"
        problems.append(Problem("no_default", text, remedy))
    return problems


def _check_lost_names(layout: Layout) -> list[Problem]:
    """Aliases whose folder of versions is gone.

    A first put makes the name's folder, then aliases at version 1, then the folder of versions:
    what it may have left when it died is no loss, and `gc` takes it.
    """
    problems = []
    for adapter_id, base in layout.alias_folders():
        names = layout.names(adapter_id, base)
        aliases = layout.alias_names(adapter_id, base)
        if names.is_dir() or not aliases:
            continue
        if names.parent.is_dir() and all(
            _is_first(layout, adapter_id, base, alias) for alias in aliases
        ):
            continue
        text = f"{adapter_id} has aliases ({', '.join(aliases)}) for base {base} and no versions: "
        remedy = "bring names/ back from a copy of the store, or run gc and add the adapter again"
        problems.append(Problem("dangling_alias", f"{text}its folder in names/ is gone", remedy))
    return problems


def _is_first(layout: Layout, adapter_id: AdapterId, base: str, alias: str) -> bool:
    try:
        state = read_alias(layout, adapter_id, base, alias)
    except NotFound:  # a writer is at work
        return True
    except StoreError:
        return False
    return state.version == 1 and not state.history


def _check_object(layout: Layout, digest: str, entries: set[str]) -> list[Problem]:
    remedy = "remove the versions that use it, run gc, and add the adapter again"
    path = layout.object(digest)
    try:
        found = artifact_digests(path)
        rows = read_card(path).data_digest
    except (SkillweaveError, OSError, ValueError) as err:
        return [Problem("corrupt_object", f"object {digest}: {err}", remedy)]
    problems = []
    if found.version != digest or entries - {found.weights}:
        text = f"object {digest} has the digests {found.version} and {found.weights}"
        problems.append(Problem("corrupt_object", text, remedy))
    extra = left_behind(path)
    if extra:
        text = f"object {digest} holds what is no part of it: {some(extra)}"
        problems.append(Problem("corrupt_object", text, "move these files out of the store"))
    if rows is not None and not layout.rows(rows).is_file():
        text = f"object {digest} names the training rows {rows}, which are not here"
        problems.append(Problem("missing_rows", text, "it serves, but cannot be retrained"))
    return problems


def _check_documents(layout: Layout) -> list[Problem]:
    problems = []
    for name in children(layout.root / "rows"):
        try:
            get_rows(layout, name.removesuffix(".jsonl"))
        except (SkillweaveError, ValueError) as err:
            problems.append(Problem("corrupt_rows", str(err), "delete the file"))
    for digest in children(layout.root / "attestations"):
        try:
            attestations(layout, digest)
        except SkillweaveError as err:
            problems.append(Problem("bad_attestation", str(err), "delete the file"))
    for name in children(layout.root / "bases"):
        try:
            base = known_base(layout, name.removesuffix(".json"))
        except SkillweaveError as err:
            problems.append(Problem("bad_base", str(err), "delete the file"))
            continue
        if base is not None and base.family_digest != name.removesuffix(".json"):
            text = f"bases/{name} describes another base, {base.family_digest}"
            problems.append(Problem("bad_base", text, "delete the file"))
    return problems
