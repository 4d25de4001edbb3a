"""The files of a skill folder: which they are, and one digest over them.

Owns the walk and the digest. Refuses links and special files, since a folder must mean the same
wherever it is copied. Refuses to own what the files say.
"""

import hashlib
import os
import stat
from pathlib import Path

from ..errors import Problem, SkillError

MAX_FILES = 5000
"""Files of one skill; more is taken for a wrong folder."""

SKIPPED_FOLDERS = frozenset({".git", "node_modules"})
"""Folders that are never part of a skill: history, and what a package manager puts back."""


def scan_folder(folder: Path) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """List the regular files of `folder`, and what is no regular file.

    Returns:
        Relative paths with `/`, sorted, without `SKIPPED_FOLDERS`; and a problem for each link,
        each special file, each folder that cannot be read, and for a number above `MAX_FILES`.
    """
    files: list[str] = []
    problems: list[Problem] = []
    waiting = [""]
    while waiting and len(files) <= MAX_FILES:
        prefix = waiting.pop()
        try:
            names = sorted(os.listdir(folder / prefix))
        except OSError as err:
            problems.append(Problem("unreadable", f"{prefix or '.'}: {err.strerror}"))
            continue
        for name in names:
            relative = f"{prefix}{name}"
            mode = os.lstat(folder / relative).st_mode
            if stat.S_ISDIR(mode):
                if name not in SKIPPED_FOLDERS:
                    waiting.append(f"{relative}/")
            elif stat.S_ISREG(mode):
                files.append(relative)
            else:
                kind = "a symbolic link" if stat.S_ISLNK(mode) else "a special file"
                problems.append(
                    Problem("link", f"{relative} is {kind}", "put the file itself in its place")
                )
    if len(files) > MAX_FILES:
        problems.append(Problem("too_many_files", f"more than {MAX_FILES} files in {folder}"))
    return tuple(sorted(files[:MAX_FILES])), tuple(problems)


def skill_files(folder: Path) -> tuple[str, ...]:
    """The files that make up the skill: what is hashed, copied and stored.

    Raises:
        SkillError: the folder holds links, special files, unreadable folders or too many files.
    """
    files, problems = scan_folder(folder)
    if problems:
        listing = "; ".join(problem.message for problem in problems[:5])
        raise SkillError(
            f"skill folder {folder} cannot be taken as it is: {listing}; "
            "expected plain files and folders only"
        )
    return files


def folder_digest(folder: Path) -> str:
    """SHA-256 (hex) over the folder's files in order of path: path and bytes, each with its length.

    Times, modes and the place on disk do not count.

    Raises:
        SkillError: see `skill_files`; also when a file cannot be read.
    """
    total = hashlib.sha256()
    for relative in sorted(skill_files(folder), key=os.fsencode):
        try:
            with open(folder / relative, "rb") as file:
                content = hashlib.file_digest(file, "sha256").digest()
        except OSError as err:
            raise SkillError(f"cannot read {folder / relative}: {err.strerror}") from err
        path = os.fsencode(relative)
        total.update(len(path).to_bytes(8, "big") + path + content)
    return total.hexdigest()
