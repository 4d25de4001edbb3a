"""The folder that a demo writes into: which one it may take, and what it may remove there.

A demo starts afresh and therefore removes what an earlier one left. It does so only where it put
its own mark, so that nobody's store is taken for its own.
"""

import shutil
from pathlib import Path

from ..adapters import UsageError, default_store_root

MARK = ".skillweave-demo"
OURS = (MARK, "report.json", "report.html", "items.jsonl", "store", "router", "logs")


def claim(out: Path) -> None:
    """Make `out` an empty folder with the demo's mark in it.

    Raises:
        UsageError: it is a file, holds what no demo wrote, or holds (or lies in) your own store.
    """
    _keep_off_the_store(out)
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file, expected a folder for the report; give another --out")
    names = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
    if names and MARK not in names:
        raise UsageError(
            f"{out} holds {', '.join(names[:3])}, which no demo wrote (there is no {MARK} in it); "
            "give another --out, or an empty folder"
        )
    strangers = [name for name in names if name not in OURS]
    if strangers:
        raise UsageError(
            f"{out} holds {', '.join(strangers[:3])}, which no demo wrote; give another --out"
        )
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).write_text("Made by `skillweave demo`, which removes its files here.\n")
    for name in OURS[1:]:
        _remove(out / name)


def _keep_off_the_store(out: Path) -> None:
    here, store = out.resolve(), default_store_root().resolve()
    removed = {here / name for name in OURS}
    if store in (here, *here.parents) or removed.intersection((store, *store.parents)):
        raise UsageError(
            f"{out} is where your own store is ({default_store_root()}), and a demo starts with an "
            "empty one; give another --out"
        )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
