"""Folders from strangers: what may be in one, and how a file in it is opened.

Owns the refusal of links, special files and floods, before anything inside is opened, and the one
way to open a file: never through a link, never waiting for a pipe. Refuses to own what the files
mean (`gate/policy.py`, `skills/`).
"""

import contextlib
import errno
import hashlib
import itertools
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from .digests import FileDigest
from .errors import Problem
from .limits import DEFAULT_LIMITS, Limits
from .text import is_plain, shown

_COPY = "copy the plain files into a folder first (cp -rL FROM TO)"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Listing:
    """The files of a folder as POSIX paths relative to it, sorted; only regular files."""

    files: tuple[str, ...]
    problems: tuple[Problem, ...]


def list_folder(folder: Path, limits: Limits = DEFAULT_LIMITS) -> Listing:
    """Walk a folder without following anything; no file is opened.

    The folder itself may be given through a link. Inside it these are problems: a link, a device,
    pipe or socket; a name that does not show as what it is; a folder that cannot be read; more
    entries, bytes or levels than `limits`.
    """
    try:
        handle = os.open(folder, _FOLDER)
    except OSError:
        text = f"{shown(str(folder))} is no folder that can be read"
        return Listing((), (Problem("missing_folder", text, "give the path of a folder"),))
    walk = _Walk(limits)
    try:
        walk.enter(handle, "", 0)
    finally:
        os.close(handle)
    return Listing(tuple(sorted(walk.files)), tuple(walk.found()))


@dataclass
class _Walk:
    """One walk, bounded on the way and not afterwards."""

    limits: Limits
    files: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    entries: int = 0
    total_bytes: int = 0

    @property
    def flooded(self) -> bool:
        return self.entries > self.limits.files

    def enter(self, handle: int, prefix: str, depth: int) -> None:
        """List one open folder; everything below is opened relative to it, so nothing can turn
        into a link between being seen and being entered."""
        room = self.limits.files - self.entries + 1
        with os.scandir(handle) as entries:
            seen = sorted(itertools.islice(entries, room), key=lambda entry: entry.name)
        self.entries += len(seen)
        for entry in seen:
            name = prefix + entry.name
            status = entry.stat(follow_symlinks=False)
            if not is_plain(entry.name):
                self._refuse("bad_file_name", name, "has a name that does not show as what it is")
            elif stat.S_ISDIR(status.st_mode):
                self._descend(handle, entry.name, name, depth)
            elif stat.S_ISREG(status.st_mode):
                self.files.append(name)
                self.total_bytes += status.st_size
            else:
                code = "symlink" if stat.S_ISLNK(status.st_mode) else "special_file"
                self._refuse(code, name, "is no plain file")

    def _descend(self, parent: int, own_name: str, name: str, depth: int) -> None:
        if depth == self.limits.depth:
            self._refuse("too_deep", name, f"lies below {self.limits.depth} folders")
        elif not self.flooded:
            try:
                handle = os.open(own_name, _FOLDER | os.O_NOFOLLOW, dir_fd=parent)
            except OSError as err:
                self._refuse("unreadable", name, f"cannot be listed: {err.strerror}")
                return
            try:
                self.enter(handle, f"{name}/", depth + 1)
            finally:
                os.close(handle)

    def _refuse(self, code: str, name: str, what: str) -> None:
        self.problems.append(Problem(code, f"'{shown(name)}' {what}", _COPY))

    def found(self) -> list[Problem]:
        """Every problem, the floods last."""
        limits = self.limits
        if self.flooded:
            text = f"the folder holds more than {limits.files} files and folders"
            self.problems.append(Problem("too_many_files", text, "keep only what belongs to it"))
        if self.total_bytes > limits.folder_bytes:
            text = f"the folder holds {self.total_bytes} bytes: at most {limits.folder_bytes}"
            self.problems.append(Problem("too_large", text, "keep only what belongs to it"))
        return self.problems


@contextlib.contextmanager
def open_plain(path: Path) -> Iterator[FileIO]:
    """Open one regular file for reading: no link at its end, no pipe that would block.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    handle = os.open(path, _FILE)
    with os.fdopen(handle, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "no plain file", str(path))
        yield file


def read_plain(path: Path, max_bytes: int) -> bytes:
    """The whole of a small regular file.

    Raises:
        OSError: as `open_plain`. ValueError: it holds more than `max_bytes`.
    """
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = read_exactly(file, min(size, max_bytes) + 1)
        if len(data) > max_bytes:
            raise ValueError(f"{path.name} has {size} bytes: at most {max_bytes}")
        return data


def read_exactly(file: FileIO, size: int) -> bytes:
    """Up to `size` bytes; fewer only where the file ends."""
    data = file.read(size)
    while len(data) < size and (more := file.read(size - len(data))):
        data += more
    return data


def folder_digests(folder: Path, files: tuple[str, ...]) -> dict[str, FileDigest]:
    """Digest and executable bit of each listed file.

    Raises:
        OSError: a file cannot be read, or is no plain file any more.
    """
    return {name: _digest(folder / name) for name in files}


def is_executable(mode: int) -> bool:
    """Whether a file's mode lets its owner run it; the only bit of a mode we keep."""
    return bool(mode & stat.S_IXUSR)


def _digest(path: Path) -> FileDigest:
    with open_plain(path) as file:
        mode = os.fstat(file.fileno()).st_mode
        return FileDigest(hashlib.file_digest(file, "sha256").hexdigest(), is_executable(mode))
