"""Folders from strangers: what may be in one, and the digests of its files.

Owns the refusal of links, special files and floods, before anything inside is opened. Refuses to
own what the files mean (`gate.py`, `skills/`).
"""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from .digests import FileDigest
from .errors import Problem
from .limits import DEFAULT_LIMITS, Limits

_COPY = "copy the plain files into a folder first (cp -rL FROM TO)"


@dataclass(frozen=True)
class Listing:
    """The files of a folder as POSIX paths relative to it, sorted; only regular files."""

    files: tuple[str, ...]
    problems: tuple[Problem, ...]


def list_folder(folder: Path, limits: Limits = DEFAULT_LIMITS) -> Listing:
    """Walk a folder without following anything.

    The folder itself may be given through a link; inside it a link, a device, a name that is not
    valid Unicode, or more files or bytes than `limits` is a problem.
    """
    if not folder.is_dir():
        text = f"{folder} is no folder"
        return Listing((), (Problem("missing_folder", text, "give the path of a folder"),))
    files: list[str] = []
    odd: list[tuple[str, str]] = []
    total = 0
    pending = [""]
    while pending and len(files) + len(odd) <= limits.files:
        for entry in sorted(os.scandir(folder / pending.pop()), key=lambda e: e.name):
            relative = Path(entry.path).relative_to(folder).as_posix()
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                pending.append(relative)
            elif stat.S_ISREG(mode) and _is_text(relative):
                files.append(relative)
                total += entry.stat(follow_symlinks=False).st_size
            else:
                odd.append(("symlink" if stat.S_ISLNK(mode) else "special_file", relative))
    problems = [Problem(code, f"{name!a} is no plain file", _COPY) for code, name in odd]
    if len(files) + len(odd) > limits.files:
        text = f"the folder holds more than {limits.files} files"
        problems.append(Problem("too_many_files", text, "keep only what belongs to it"))
    if total > limits.folder_bytes:
        text = f"the folder holds {total} bytes: at most {limits.folder_bytes}"
        problems.append(Problem("too_large", text, "keep only what belongs to it"))
    return Listing(tuple(sorted(files)), tuple(problems))


def folder_digests(folder: Path, files: tuple[str, ...]) -> dict[str, FileDigest]:
    """Digest and executable bit of each listed file.

    Raises:
        OSError: a file cannot be read, or has become a link since it was listed.
    """
    return {name: _digest(folder / name) for name in files}


def is_executable(mode: int) -> bool:
    """Whether a file's mode lets its owner run it; the only bit of a mode we keep."""
    return bool(mode & stat.S_IXUSR)


def _digest(path: Path) -> FileDigest:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(handle, "rb") as file:
        mode = os.fstat(handle).st_mode
        return FileDigest(hashlib.file_digest(file, "sha256").hexdigest(), is_executable(mode))


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
