"""Files of lines that only grow: append durably, read what is whole.

Owns one promise: a line is there entirely or not at all, whatever dies when. A line that was torn
is cut off by the next append. Refuses to own what the lines say (`folder.py`,
`teachers/records.py`).
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from ...adapters.errors import StoreError

_TAIL_BYTES = 1 << 16


@dataclass(frozen=True)
class Lines:
    """The whole lines of a file, without their ends, and how many bytes of a torn one follow."""

    lines: tuple[bytes, ...]
    whole_bytes: int
    torn_bytes: int


def read_lines(path: Path) -> Lines:
    """What stands in the file; a file that is not there has no lines.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Lines((), 0, 0)
    except OSError as err:
        raise StoreError(f"cannot read {path}: {err.strerror}; check its permissions") from err
    whole = data.rfind(b"\n") + 1
    return Lines(tuple(data[:whole].split(b"\n")[:-1]), whole, len(data) - whole)


def append_line(path: Path, line: bytes, *, expect_bytes: int | None = None) -> int:
    """Append one line and make it durable; writers of one file take turns.

    Args:
        line: ends with its only `\\n`.
        expect_bytes: refuse where the file's whole lines are not so long: somebody else wrote.

    Returns:
        How long the file is now.

    Raises:
        StoreError: the disk is unwilling, or `expect_bytes` does not hold; the line is not there.
    """
    if line.count(b"\n") != 1 or not line.endswith(b"\n"):
        raise ValueError(f"a line has its end where it ends, and only there; got {line[:80]!r}")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as err:
        raise StoreError(f"cannot write {path}: {err.strerror}; check its permissions") from err
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        start = _end_of_whole_lines(handle)
        if expect_bytes is not None and start != expect_bytes:
            raise StoreError(
                f"{path} has {start} bytes, expected {expect_bytes}: somebody else changed it; "
                "nothing was written, open it again"
            )
        return _put(handle, start, line)
    except OSError as err:
        if isinstance(err, StoreError):
            raise
        raise StoreError(
            f"appending to {path} failed: {err.strerror}; the line is not there. Check free space"
        ) from err
    finally:
        os.close(handle)


def cut_torn(path: Path, whole_bytes: int) -> None:
    """Cut off what stands behind the whole lines.

    Raises:
        StoreError: the disk is unwilling.
    """
    try:
        with path.open("r+b") as file:
            file.truncate(whole_bytes)
            os.fsync(file.fileno())
    except OSError as err:
        raise StoreError(f"cannot repair {path}: {err.strerror}") from err


def _end_of_whole_lines(handle: int) -> int:
    end = os.fstat(handle).st_size
    while end:
        start = max(0, end - _TAIL_BYTES)
        found = os.pread(handle, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _put(handle: int, start: int, line: bytes) -> int:
    os.ftruncate(handle, start)
    written = 0
    try:
        while written < len(line):
            written += os.pwrite(handle, line[written:], start + written)
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, start)
        raise
    return start + len(line)
