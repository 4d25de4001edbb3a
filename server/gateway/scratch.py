"""The folder in memory where steps of a run lie, for as long as a server runs.

`/dev/shm` where that is usable, else the folder of the server's run. A note in the latter tells a
gateway that is started again, and whoever tidies up, where it is; inside it stands which process
it belongs to, so that the next server can remove what a killed one left. Owns place, note and
removal. Refuses to own what lies inside (`ephemeral.py`).
"""

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from ..process import start_time
from .errors import NoRoom

MEMORY = Path("/dev/shm")
PREFIX = "skillweave-steps-"
NOTE = "steps-path"
OWNER = "owner.json"
MARGIN_BYTES = 32 * 1024 * 1024
"""Left free in memory: other programs live there, too."""


class Scratch:
    """The folder, made when it is first needed.

    Args:
        run_dir: folder of the server's run, with the note; None makes one that nobody finds again.
        memory: the file system in memory.
    """

    def __init__(self, run_dir: Path | None, *, memory: Path = MEMORY) -> None:
        self._run_dir = run_dir
        self._memory = memory
        self._made: Path | None = None

    @property
    def found(self) -> Path | None:
        """The folder, if it was made before, by this gateway or one before it."""
        if self._made is None and self._run_dir is not None:
            self._made = noted(self._run_dir)
        return self._made

    def folder(self) -> Path:
        """The folder; made now if need be.

        Raises:
            OSError: nothing can be written anywhere.
        """
        if self.found is None or not self.found.is_dir():
            self._made = self._make()
        assert self._made is not None
        return self._made

    def require_room(self, num_bytes: int) -> None:
        """Refuse what would fill the memory.

        Raises:
            NoRoom: less than this and a margin is free.
        """
        folder = self.folder()
        free = shutil.disk_usage(folder).free
        if num_bytes + MARGIN_BYTES > free:
            raise NoRoom(
                f"{num_bytes} bytes do not fit into {folder.parent}, which has {free} free: keep "
                "fewer steps (a smaller staleness), end other runs, or give it more memory "
                "(docker: --shm-size)"
            )

    def _make(self) -> Path:
        place = self._memory if _usable(self._memory) else self._run_dir
        made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        pid = os.getppid()  # the supervisor, which outlives this gateway
        (made / OWNER).write_text(json.dumps({"pid": pid, "started": start_time(pid)}))
        if self._run_dir is not None:
            part = self._run_dir / f"{NOTE}.part"
            part.write_text(str(made))
            part.replace(self._run_dir / NOTE)
        return made


def noted(run_dir: Path) -> Path | None:
    """The folder that belongs to a server's run; None where none was made."""
    try:
        return Path((run_dir / NOTE).read_text())
    except OSError:
        return None


def remove_scratch(run_dir: Path) -> None:
    """Remove the folder of a server that has ended; call it before `run_dir` itself goes."""
    folder = noted(run_dir)
    if folder is not None and folder.name.startswith(PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


def sweep(memory: Path = MEMORY) -> list[Path]:
    """Remove the folders of servers that are no more; returns them."""
    removed = []
    with contextlib.suppress(OSError):
        for folder in sorted(memory.glob(f"{PREFIX}*")):
            if _is_ours(folder) and not _is_alive(folder):
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(folder)
    return removed


def _usable(memory: Path) -> bool:
    if not memory.is_dir() or not os.access(memory, os.W_OK | os.X_OK):
        return False
    return shutil.disk_usage(memory).free > 2 * MARGIN_BYTES


def _is_ours(folder: Path) -> bool:
    return folder.stat(follow_symlinks=False).st_uid == os.getuid() and not folder.is_symlink()


def _is_alive(folder: Path) -> bool:
    """A folder without a readable owner is being made, or is not ours to judge."""
    try:
        owner = json.loads((folder / OWNER).read_text())
        return bool(start_time(int(owner["pid"])) == owner["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return True
