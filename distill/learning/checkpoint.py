"""A run on disk: all that is needed to go on as if it had never stopped.

Owns one file, written whole or not at all. Refuses to own what a run holds: any tree of tensors,
numbers, strings, lists and dicts goes in and comes out, and nothing that could run code.
"""

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ...adapters.errors import UsageError

FILE = "checkpoint.pt"


def save_checkpoint(folder: Path, state: Mapping[str, Any], *, fingerprint: str) -> None:
    """Replace the folder's checkpoint by this one.

    Args:
        fingerprint: of everything that must be the same when the run goes on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".partial-{os.getpid()}"
    try:
        with partial.open("wb") as file:
            torch.save({"fingerprint": fingerprint, "state": dict(state)}, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / FILE)
    finally:
        partial.unlink(missing_ok=True)


def load_checkpoint(folder: Path, *, fingerprint: str) -> dict[str, Any] | None:
    """The state that was saved; None where there is none.

    Raises:
        UsageError: it cannot be read, or is that of another run.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as err:
        raise UsageError(f"{path} cannot be read: {err}; remove it to start anew") from err
    if not isinstance(found, dict) or {"fingerprint", "state"} - found.keys():
        raise UsageError(f"{path} holds no checkpoint of ours; remove it to start anew")
    if found["fingerprint"] != fingerprint:
        raise UsageError(
            f"{path} is of a run with another base, rows, settings or seed (fingerprint "
            f"{found['fingerprint'][:12]}, expected {fingerprint[:12]}); name another folder"
        )
    state: dict[str, Any] = found["state"]
    return state
