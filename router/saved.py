"""A router on disk: `router.json` and one `.npz` of arrays beside it. No pickle.

Owns the file format. `router.json` names its arrays by their SHA-256 and is replaced last, so a
kill while saving leaves the router that was there. Refuses to own what the values mean.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import RouterError
from .scores import Floats
from .types import Form

FILE = "router.json"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class SavedSkill(_Frozen):
    """One skill of the router."""

    name: str
    description: str
    form: Form
    digest: str


class SavedCandidate(_Frozen):
    """One rule on one feature, with its figures on dev."""

    rule: str
    feature: Literal["ngrams", "embedding"]
    threshold: float
    right: float
    abstained: float


class SavedRouter(_Frozen):
    """`router.json`."""

    format: Literal[1] = 1
    base: str
    """Family digest of the base it was fitted for."""
    base_dir: str | None
    """Where the base was; the embedding is read from there unless `load` is told otherwise."""
    seed: int
    auto: str
    """The candidate behind `auto`."""
    skills: tuple[SavedSkill, ...]
    candidates: dict[str, SavedCandidate]
    arrays: str = ""
    """Name of the file of arrays; set by `write`."""
    arrays_sha256: str = ""


def write(folder: Path, saved: SavedRouter, arrays: Mapping[str, Floats]) -> None:
    """Write both files into a folder, made where it is missing; older arrays are removed."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
    raw = buffer.getvalue()
    digest = hashlib.sha256(raw).hexdigest()
    name = f"arrays-{digest[:16]}.npz"
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / name, raw)
    document = saved.model_copy(update={"arrays": name, "arrays_sha256": digest})
    _replace(folder / FILE, document.model_dump_json(indent=1).encode() + b"\n")
    for old in folder.glob("arrays-*.npz"):
        if old.name != name:
            old.unlink()


def read(folder: Path) -> tuple[SavedRouter, dict[str, Floats]]:
    """Read both files back.

    Raises:
        RouterError: a file is missing, is of another format, or was changed.
    """
    path = folder / FILE
    if not path.is_file():
        raise RouterError(f"{path} does not exist: expected a router saved by skillweave")
    try:
        saved = SavedRouter.model_validate_json(path.read_bytes())
    except ValidationError as err:
        raise RouterError(
            f"{path} is no router that this version reads: {err}. Fit it again"
        ) from err
    raw = _read_arrays(folder, saved)
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as loaded:
            return saved, {key: loaded[key] for key in loaded.files}
    except (ValueError, OSError, BadZipFile) as err:
        raise RouterError(f"{folder / saved.arrays} holds no arrays: {err}. Fit it again") from err


def _read_arrays(folder: Path, saved: SavedRouter) -> bytes:
    path = folder / Path(saved.arrays).name
    if not path.is_file():
        raise RouterError(
            f"{path} is missing beside {FILE}: copy the whole folder, or fit it again"
        )
    raw = path.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    if digest != saved.arrays_sha256:
        raise RouterError(
            f"{path} has SHA-256 {digest}, {FILE} says {saved.arrays_sha256}: the file was "
            "changed. Fit the router again"
        )
    return raw


def _replace(path: Path, raw: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
