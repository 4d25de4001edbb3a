"""A disk that is full: the store's, and the one on which the server keeps its own files.

A part of the exam `serve`. Criterion, before the run: with no byte left on a disk, what is served
is served rightly; a publish that needs room is refused with a documented status (507, or another
below 500) and changes nothing; an engine and a gateway that are killed meanwhile come back, at the
latest when there is room again; with room again everything works. The disk is a small file system
in memory, mounted for the exam (needs root; the row says so where that is missing). Owns the disk.
"""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...adapters import UsageError
from ..bench.rows import Row
from ..bench.serve_upload import STORE, upload_request
from ..bench.serve_wire import Heard, Line
from .serve_crowd import Crowd, is_openai_error
from .serve_ground import Ground, make_adapter, serving

SIZE_MIB = 8
HELD_S = 4.0
"""How long the disk stays full after each kill."""
_ROOM = 507


def rows(home: Path) -> list[Row]:
    """Store and run folder on one small disk, filled to its last byte."""
    disk = home / "disk"
    try:
        with small_disk(disk), environment({"TMPDIR": str(disk)}):
            return _on(disk, home)
    except UsageError as err:
        return [Row(f"full disk: {err}", 0.0, 0, "==", 1.0, equal=False)]


@contextlib.contextmanager
def small_disk(folder: Path, *, size_mib: int = SIZE_MIB) -> Iterator[None]:
    """A file system of so many MiB at `folder`.

    Raises:
        UsageError: it cannot be mounted here.
    """
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as err:
        raise UsageError("a small disk cannot be mounted here; run this part as root") from err
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for the length of a block, read by what is started in it."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def full(folder: Path) -> Iterator[None]:
    """Not one byte is left on the disk of `folder` while the block runs."""
    file, path = tempfile.mkstemp(dir=folder, prefix="fill-")
    try:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    os.write(file, b"\0" * size)
        yield
    finally:
        os.close(file)
        Path(path).unlink()


def _on(disk: Path, home: Path) -> list[Row]:
    late = make_adapter(home / "late", seed=99)
    with serving(disk, adapters=2) as ground:
        crowd = Crowd(ground.running.root, ground.models)
        crowd.learn()
        faults: list[str] = []
        with crowd.asking(2):
            with full(disk):
                refused = _store(ground, late)
                faults += _not_a_refusal(refused)
                ground.engines()[0].kill()
                time.sleep(HELD_S)
                ground.gateway().kill()
                time.sleep(HELD_S)
            back_s = max(crowd.until_right(model) for model in ground.models)
            again = _store(ground, late)
            if again.status != 200:
                faults.append(f"with room again: {again.status} {again.body[:200]!r}")
        faults += crowd.tally.faults
    told: dict[str, object] = {
        "faults": faults[:10],
        "publish": refused.status,
        "recovery_with_room_s": back_s,
        "right": crowd.tally.answered,
    }
    return [Row("full disk: faults", len(faults), crowd.tally.answered, "==", 0, ours=told)]


def _store(ground: Ground, folder: Path) -> Heard:
    """An upload that has to be kept."""
    with Line(ground.running.root, timeout_s=60) as line:
        key = ground.running.admin_key
        return line.ask(upload_request(line, folder, {"name": "late"}, key=key, path=STORE))


def _not_a_refusal(heard: Heard) -> list[str]:
    good = (heard.status == _ROOM or 400 <= heard.status < 500) and is_openai_error(heard.body)
    return [] if good else [f"publish on a full disk: {heard.status} {heard.body[:200]!r}"]
