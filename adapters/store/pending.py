"""Markers of changes under way: `pending/<id>@<base>@<token>`, empty files.

A writer marks a name before it changes its files, brings the index up to date after, and takes the
marker away last. Whoever reads the index first looks here, and re-reads the marked names from the
files; so a reader never misses what was acknowledged, and a writer that was killed leaves a marker
that is honoured until nobody can be writing. Markers need not survive the power: an index of an
earlier boot is not believed (`index.py`).
"""

import contextlib
import os
import re
import secrets
from pathlib import Path

from ..file_ops import FileOps
from ..names import AdapterId
from .layout import Layout

Name = tuple[AdapterId, str]
"""An id and a base family."""

_BASE = re.compile(r"[0-9a-f]{64}")


def mark(layout: Layout, ops: FileOps, name: Name) -> Path:
    """Say that this name is about to change."""
    adapter_id, base = name
    ops.make_folder(layout.pending)
    path = layout.pending / f"{adapter_id.folder}@{base}@{secrets.token_hex(8)}"
    ops.mark(path)
    return path


def unmark(ops: FileOps, marker: Path) -> None:
    """The index is true again for this name; a marker that cannot be removed does no harm."""
    with contextlib.suppress(OSError):
        ops.unlink(marker)


def markers(layout: Layout) -> list[Path]:
    """All markers, without order."""
    try:
        return [Path(entry.path) for entry in os.scandir(layout.pending)]
    except OSError:
        return []


def marked(paths: list[Path]) -> set[Name]:
    """The names that these markers are about; what is no marker is passed over."""
    names = set()
    for path in paths:
        folder, _, rest = path.name.partition("@")
        base = rest.partition("@")[0]
        if _BASE.fullmatch(base):
            with contextlib.suppress(ValueError):
                names.add((AdapterId.from_folder(folder), base))
    return names
