"""Loading what answers `auto`: a saved router, at the start and when the admin sets another.

Owns the one edge from the gateway to the router's files, and the note by which a gateway that is
started again finds the router that was set last. Refuses to own any routing rule.
"""

import os
from pathlib import Path

from ....adapters.errors import StoreError
from ....router.router import Router
from ....router.types import Selector
from ...state_file import ServerState

NOTE = "router-path"


def load_selector(path: Path, state: ServerState) -> Selector:
    """The saved router at `path`, checked against the base that is served.

    Raises:
        RouterError: there is no router, or it cannot be read.
        StaleRouter: it was fitted for another base.
    """
    folder = Path(state.base_label)
    return Router.load(path, base=state.family, base_dir=folder if folder.is_dir() else None)


def current_path(state: ServerState) -> Path | None:
    """The router that was set last on this server, else the configured one, else None."""
    note = _note(state)
    if note is not None and note.is_file():
        return Path(note.read_text())
    return state.router


def note_path(path: Path, state: ServerState) -> None:
    """Remember `path` for as long as this server runs. Blocks.

    Raises:
        StoreError: the disk is unwilling; what was remembered before stays.
    """
    note = _note(state)
    if note is None:
        return
    part = note.with_suffix(".part")
    try:
        part.write_text(str(path.absolute()))
        os.replace(part, note)
    except OSError as err:
        part.unlink(missing_ok=True)
        raise StoreError(f"the router was not set, since it cannot be noted: {err}") from err


def _note(state: ServerState) -> Path | None:
    return None if state.run_dir is None else state.run_dir / NOTE
