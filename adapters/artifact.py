"""The artifact: an unmodified PEFT folder + `card.json` + the whole skill folder verbatim.

    adapter_config.json  adapter_model.safetensors  card.json  skill/...

Owns which files belong to an artifact and how its two digests follow from them. Exactly these
files are taken along; what trainers leave beside an adapter stays behind (`left_behind`). Refuses
to own judgement (`gate/policy.py`) and where artifacts lie (`store/store.py`).
"""

import json
from dataclasses import dataclass
from pathlib import Path

from .base.identity import BaseIdentity
from .card import CARD_FILE, Card, card_bytes, parse_card
from .digests import version_digest, weights_digest
from .errors import AdapterRefused, StoreError
from .file_ops import DiskOps, FileOps
from .folders import folder_digests, is_executable, list_folder, read_plain
from .gate.policy import GatePolicy
from .limits import DEFAULT_LIMITS
from .peft_folder.header import CONFIG_FILE, WEIGHTS_FILE

SKILL_FOLDER = "skill"
ADMIT = GatePolicy()
"""The policy of a door that lets an adapter in: everything is looked at."""

_OWN_FILES = frozenset({CONFIG_FILE, WEIGHTS_FILE, CARD_FILE})


@dataclass(frozen=True)
class ArtifactDigests:
    """The two names of an artifact, 64 hex digits each."""

    weights: str
    version: str


def write_artifact(
    target: Path,
    adapter_dir: Path,
    *,
    card: Card,
    skill_dir: Path | None = None,
    files: FileOps | None = None,
    base: BaseIdentity | None = None,
    policy: GatePolicy = ADMIT,
) -> None:
    """Copy adapter and skill into a new folder and add the card; every byte is on disk after.

    The copy passes the gate, not only what was copied: the source may change in between.

    Args:
        target: must not exist yet.
        adapter_dir: a PEFT folder; only its config and weights are taken.
        card: written as `card.json`; where the source holds one that says the same, its bytes are
            kept, so that a later default in the schema does not rename what others shipped.
        skill_dir: copied whole, byte for byte, executable bits kept; None for no skill.
        files: the file operations, by default the disk.
        base: the base whose names and shapes the copy must have; None where none is known.
        policy: what the gate asks of the copy.

    Raises:
        AdapterRefused: the skill folder holds links, special files, or too much; or the copy does
            not pass the gate. What was written then is the caller's to remove.
        OSError: a file cannot be read or written.
    """
    ops = files or DiskOps()
    if target.exists():
        raise FileExistsError(f"{target} exists; an artifact is never written over anything")
    ops.make_folder(target)
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        ops.copy(adapter_dir / name, target / name, executable=False)
    ops.write(target / CARD_FILE, [_card_as_shipped(adapter_dir / CARD_FILE, card)])
    if skill_dir is not None:
        _copy_skill(skill_dir, target / SKILL_FOLDER, ops)
    policy.require(target, base)
    ops.sync_folder(target)


def _card_as_shipped(path: Path, card: Card) -> bytes:
    try:
        shipped = read_plain(path, DEFAULT_LIMITS.config_bytes)
        return shipped if parse_card(shipped) == card else card_bytes(card)
    except (OSError, ValueError):
        return card_bytes(card)


def read_card(folder: Path) -> Card:
    """The card of an artifact.

    Raises:
        StoreError: missing, or not a card.
    """
    try:
        return parse_card((folder / CARD_FILE).read_bytes())
    except (OSError, ValueError) as err:
        raise StoreError(f"{folder / CARD_FILE} is no card: {err}; run fsck") from err


def artifact_digests(folder: Path) -> ArtifactDigests:
    """Compute both digests from the files of an artifact.

    Raises:
        AdapterRefused: config or header of the adapter are not sound.
        OSError: a file cannot be read.
        ValueError: the card is no JSON.
    """
    from .peft_folder.deltas import read_peft  # on use: reading a card needs no torch

    weights = weights_digest(read_peft(folder))
    skill = folder / SKILL_FOLDER
    listing = list_folder(skill) if skill.is_dir() else None
    if listing is not None and listing.problems:
        raise AdapterRefused(listing.problems, str(skill))
    digest = version_digest(
        weights,
        (folder / CONFIG_FILE).read_bytes(),
        skill=folder_digests(skill, listing.files) if listing else {},
        card=json.loads((folder / CARD_FILE).read_bytes()),
    )
    return ArtifactDigests(weights, digest)


def skill_dir_of(folder: Path) -> Path | None:
    """The skill folder inside an artifact, where it has one."""
    skill = folder / SKILL_FOLDER
    return skill if skill.is_dir() else None


def left_behind(adapter_dir: Path) -> tuple[str, ...]:
    """Files of a PEFT folder that no artifact takes along, for a caller to report."""
    return tuple(
        name
        for name in list_folder(adapter_dir).files
        if name not in _OWN_FILES and not name.startswith(f"{SKILL_FOLDER}/")
    )


def _copy_skill(source: Path, target: Path, ops: FileOps) -> None:
    listing = list_folder(source)
    if listing.problems:
        raise AdapterRefused(listing.problems, f"skill folder {source}")
    folders = {target}
    for name in listing.files:
        folders.update(p for p in (target / name).parents if p.is_relative_to(target))
    for folder in sorted(folders):
        ops.make_folder(folder)
    for name in listing.files:
        executable = is_executable((source / name).lstat().st_mode)
        ops.copy(source / name, target / name, executable=executable)
    for folder in sorted(folders, reverse=True):
        ops.sync_folder(folder)
