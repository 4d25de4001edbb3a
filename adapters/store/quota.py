"""How many bytes a store holds, and the refusal of what would go above a quota.

Counted from the files, never from a cache, and only where a quota is set: some 10 us a file. Owns
counting and refusing. Refuses to own the setting (`schema.py`); the caller keeps two writers
from being counted at once.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..base.identity import BaseIdentity
from ..card import CARD_FILE, Card, card_bytes, parse_card
from ..digests import version_digest, weights_digest
from ..errors import StoreError
from ..folders import folder_digests, list_folder
from ..names import AdapterId
from ..peft_folder.header import CONFIG_FILE, WEIGHTS_FILE
from .blobs import sha256_of
from .layout import TEMPORARY, Layout
from .names import read_entry
from .schema import Quotas

_COUNTED = ("objects", "blobs", "rows", "attestations", "bases")


@dataclass(frozen=True)
class Need:
    """What a writer is about to add, in bytes: to the store's files, and to namespaces."""

    store: int
    namespaces: Mapping[str, int] = field(default_factory=dict)


def need_of(
    layout: Layout,
    adapter_id: AdapterId,
    adapter_dir: Path,
    card: Card,
    *,
    skill_dir: Path | None,
    base: BaseIdentity | None,
) -> Need:
    """What storing an adapter takes; what the store has already costs it nothing.

    Args:
        base: remembered with it.
    """
    known_base = base is None or layout.base(base.family_digest).is_file()
    remembered = 0 if base is None or known_base else len(base.to_json())
    digest = _digest_of(adapter_dir, card, skill_dir)
    rest = (adapter_dir / CONFIG_FILE).stat().st_size + len(card_bytes(card))
    if skill_dir is not None:
        rest += sum((skill_dir / n).lstat().st_size for n in list_folder(skill_dir).files)
    weights = adapter_dir / WEIGHTS_FILE
    size = weights.stat().st_size
    namespace = adapter_id.namespace or ""
    charged = 0 if digest in _meant_by(layout, namespace) else rest + size
    if layout.object(digest).is_dir():
        return Need(remembered, {namespace: charged})
    known = layout.blob(sha256_of(weights)).is_file()
    return Need(remembered + (rest if known else rest + size), {namespace: charged})


def _digest_of(adapter_dir: Path, card: Card, skill_dir: Path | None) -> str:
    """The version digest that an artifact of these parts will have."""
    from ..peft_folder.deltas import read_peft  # on use: counting needs no torch

    try:
        shipped = (adapter_dir / CARD_FILE).read_bytes()
        document = shipped if parse_card(shipped) == card else card_bytes(card)
    except (OSError, ValueError):
        document = card_bytes(card)
    skill = {} if skill_dir is None else folder_digests(skill_dir, list_folder(skill_dir).files)
    return version_digest(
        weights_digest(read_peft(adapter_dir)),
        (adapter_dir / CONFIG_FILE).read_bytes(),
        skill=skill,
        card=json.loads(document),
    )


@dataclass(frozen=True)
class Usage:
    """Bytes held and allowed (None: no limit), by namespace ("" for names without one)."""

    bytes: int
    allowed_bytes: int | None
    namespaces: Mapping[str, tuple[int, int | None]]


def usage(layout: Layout, quotas: Quotas) -> Usage:
    """What a store holds, counted from the files."""
    used = {adapter_id.namespace or "" for adapter_id in layout.ids() if layout.bases(adapter_id)}
    return Usage(
        bytes=store_bytes(layout),
        allowed_bytes=quotas.bytes,
        namespaces={
            name: (namespace_bytes(layout, name), quotas.namespaces.get(name))
            for name in sorted(used | quotas.namespaces.keys())
        },
    )


def rows_room(layout: Layout, quotas: Quotas) -> int | None:
    """How many bytes of training rows may at most be written; None for no limit.

    Rows that are kept already need no room, so it is never less than the largest of those.
    """
    if quotas.bytes is None:
        return None
    kept = max((file.st_size for file in _files(layout.root / "rows")), default=0)
    return max(quotas.bytes - store_bytes(layout), kept)


def require_room(layout: Layout, quotas: Quotas, need: Need) -> None:
    """Refuse what would go above a quota.

    Raises:
        StoreError: with the bytes held, wanted and allowed.
    """
    if quotas.bytes is not None:
        held = store_bytes(layout)
        _refuse_above(held, need.store, quotas.bytes, f"the store {layout.root}")
    for namespace, wanted in need.namespaces.items():
        allowed = quotas.namespaces.get(namespace)
        if allowed is not None:
            where = f"namespace {namespace!r}" if namespace else "names without a namespace"
            held = namespace_bytes(layout, namespace)
            _refuse_above(held, wanted, allowed, f"{where} of {layout.root}")


def store_bytes(layout: Layout) -> int:
    """All objects, blobs, rows, evidence and bases; a file with several names counts once."""
    seen: set[int] = set()
    total = 0
    for top in _COUNTED:
        for file in _files(layout.root / top):
            if file.st_nlink == 1 or file.st_ino not in seen:
                total += file.st_size
                seen.add(file.st_ino)
    return total


def namespace_bytes(layout: Layout, namespace: str) -> int:
    """All objects that a namespace's versions mean, each once and whole."""
    digests = _meant_by(layout, namespace)
    return sum(file.st_size for digest in digests for file in _files(layout.object(digest)))


def _meant_by(layout: Layout, namespace: str) -> set[str]:
    return {
        read_entry(layout, adapter_id, base, number).version_digest
        for adapter_id in layout.ids()
        if (adapter_id.namespace or "") == namespace
        for base in layout.bases(adapter_id)
        for number in layout.numbers(adapter_id, base)
    }


def _refuse_above(held: int, wanted: int, allowed: int, where: str) -> None:
    if wanted and held + wanted > allowed:
        raise StoreError(
            f"{where} holds {held} bytes, this needs {wanted} more: {held + wanted}, allowed are "
            f"{allowed}. Remove versions (rm) and collect (gc), or raise the quota in store.json"
        )


def _files(folder: Path) -> Iterator[os.stat_result]:
    if not folder.is_dir():
        return
    for entry in os.scandir(folder):
        if entry.name.startswith(TEMPORARY):  # unfinished: what its writer asks room for, or gc's
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        else:
            yield entry.stat(follow_symlinks=False)
