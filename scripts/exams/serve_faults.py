"""Faults: whatever is killed, filled or sent, no answer is wrong and nobody waits for ever.

A part of the exam `serve`. Owns the order of its own parts, each with its criterion: kills
(`serve_kills.py`), a full disk (`serve_disk.py`), bad clients and garbage (`serve_clients.py`),
made-up requests (`serve_fuzz.py`). Kills run on the real engine too, where there is one.
"""

from pathlib import Path

from ..bench.rows import Row
from . import serve_clients, serve_disk, serve_kills
from .serve_ground import Kind


def rows(home: Path, *, kinds: tuple[Kind, ...] = ("fake", "vllm")) -> list[Row]:
    """Everything."""
    from . import serve_fuzz  # needs a library of the tests

    found = [row for kind in kinds for row in serve_kills.rows(home / kind, kind=kind)]
    return [
        *found,
        *serve_disk.rows(home / "disk"),
        *serve_clients.rows(home / "clients"),
        *serve_fuzz.rows(home / "fuzz"),
    ]
