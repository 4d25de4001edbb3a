"""The folder in memory where steps of a run lie, for as long as a server runs.

`/dev/shm` where that is usable, else the folder of the server's run. A note in the latter tells a
gateway that is started again, and whoever tidies up, where it is; its name says which process it
belongs to, so that the next server can remove what a killed one left. Owns place, note and removal.
Refuses to own what lies inside (`step_folders.py`).
"""

import os
import shutil
from pathlib import Path

from ...memory_folders import MEMORY, free_bytes, is_owned, make_owned
from ..errors import NoRoom

KIND = "steps"
NOTE = "steps-path"
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
            NoRoom: nothing can be written there.
        """
        if self.found is None or not self.found.is_dir():
            try:
                self._made = self._make()
            except OSError as err:
                raise NoRoom(f"no folder for steps could be made: {err.strerror}") from err
        assert self._made is not None
        return self._made

    def remove(self) -> None:
        """Remove the folder: the server has ended."""
        if self.found is not None:
            shutil.rmtree(self.found, ignore_errors=True)

    def require_room(self, num_bytes: int) -> None:
        """Refuse what would fill the memory.

        Raises:
            NoRoom: less than this and a margin is free.
        """
        folder = self.folder()
        free = free_bytes(folder)
        if num_bytes + MARGIN_BYTES > free:
            raise NoRoom(
                f"{num_bytes} bytes do not fit into {folder.parent}, which has {free} free: keep "
                "fewer steps (a smaller staleness), end other runs, or give it more memory "
                "(docker: --shm-size)"
            )

    def _make(self) -> Path:
        roomy = free_bytes(self._memory) > 2 * MARGIN_BYTES
        place = self._memory if roomy else self._run_dir or Path("/tmp")
        made = make_owned(place, KIND, os.getppid())  # the supervisor, which outlives this gateway
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
    if folder is not None and is_owned(folder, KIND):
        shutil.rmtree(folder, ignore_errors=True)
