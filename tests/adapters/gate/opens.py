"""Watching which files a piece of code opens, through Python's own audit events.

Self-contained: the exam of the gate loads it from outside pytest.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_Result = TypeVar("_Result")
_watching: list[list[tuple[object, int]]] = []
_EVENTS = frozenset({"open", "os.listdir", "os.scandir"})


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _watching and event in _EVENTS:
        flags = arguments[2] if event == "open" else 0
        _watching[-1].append((arguments[0], flags if isinstance(flags, int) else 0))


sys.addaudithook(_note)  # for good; it does nothing while nobody watches


def opened_by(folder: Path, work: Callable[[], _Result]) -> tuple[_Result, list[object]]:
    """Run `work`; returns its result and what it opened outside `folder`.

    A name without a folder, opened without following links, is relative to an open folder that was
    itself found inside; numbers are such open folders.
    """
    _watching.append([])
    try:
        result = work()
    finally:
        seen = _watching.pop()
    return result, [path for path, flags in seen if not _is_inside(path, flags, folder)]


def _is_inside(path: object, flags: int, folder: Path) -> bool:
    if isinstance(path, int):
        return True
    text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else repr(path)
    if flags & os.O_NOFOLLOW and "/" not in text and text not in {"", ".", ".."}:
        return True
    return Path(text) == folder or (folder in Path(text).parents and ".." not in Path(text).parts)
