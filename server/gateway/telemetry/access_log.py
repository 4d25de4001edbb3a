"""The access log: one line of JSON for each request, written behind the gateway's back.

A request hands over its facts and goes on; a thread turns them into lines a moment later, many in
one write. What cannot be written (a full disk, a reader that is too slow) is dropped and counted:
a log never holds up an answer. Lines hold ids, names and figures. Never prompts, never answers,
never a router's reason, which may quote a prompt.
Owns the line, the file and its rotation. Refuses to own what a request was (`span.py`).
"""

import contextlib
import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from .labels import decision_word
from .span import Span

log = logging.getLogger(__name__)

PATIENCE_S = 0.05
"""How long lines are gathered before they are written together."""
MAX_WAITING = 20_000
MAX_FIELD_CHARS = 300
MAX_LOG_BYTES = 64 * 1024**2


class AccessLog:
    """Writes lines in a thread of its own until it is closed.

    Args:
        target: a file, made if needed and rotated; or a descriptor that is written to as it is.
        dropped: told how many lines could not be written.
        max_bytes: size from which a file is put aside; `keep` of them stay, as `NAME.1` and so on.
    """

    def __init__(
        self,
        target: Path | int,
        *,
        dropped: Callable[[int], object],
        max_bytes: int = MAX_LOG_BYTES,
        keep: int = 3,
    ) -> None:
        self._path = target if isinstance(target, Path) else None
        self._fd = target if isinstance(target, int) else -1
        self._dropped = dropped
        self._max_bytes, self._keep = max_bytes, keep
        self._waiting: deque[tuple[float, Span]] = deque()
        self._something = threading.Event()
        self._closing = False
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def write(self, span: Span) -> None:
        """Take one request that has ended; returns at once."""
        if len(self._waiting) >= MAX_WAITING:
            self._dropped(1)
            return
        self._waiting.append((time.time(), span))
        if not self._something.is_set():
            self._something.set()

    def close(self) -> None:
        """Write what is waiting and end the thread."""
        self._closing = True
        self._something.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while not (self._closing and not self._waiting):
            self._something.wait()
            if not self._closing:
                time.sleep(PATIENCE_S)
            self._something.clear()
            self._write_waiting()
        if self._path is not None and self._fd >= 0:
            os.close(self._fd)

    def _write_waiting(self) -> None:
        spans = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not spans:
            return
        lines = "".join(line_of(span, at=moment) for moment, span in spans).encode()
        try:
            self._turn_over(len(lines))
            _write_all(self._fd, lines)
            self._failing = False
        except OSError as err:
            self._dropped(len(spans))
            if not self._failing:
                log.error("the access log cannot be written and loses lines: %s", err)
            self._failing = True

    def _turn_over(self, coming: int) -> None:
        """Open the file; anew where it was moved away, and an empty one where it became long."""
        if self._path is None:
            return
        if self._fd >= 0 and not _still_there(self._fd, self._path):
            os.close(self._fd)
            self._fd = -1
        if self._fd < 0:
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        size = os.fstat(self._fd).st_size
        if size and size + coming > self._max_bytes:
            os.close(self._fd)
            self._fd = -1
            rotate(self._path, keep=self._keep)
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)


def line_of(span: Span, *, at: float) -> str:
    """One line; `at` is the wall clock's time of the end. Keys without a value are left out."""
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    facts: dict[str, object] = {
        "time": moment.replace("+00:00", "Z"),
        "request_id": span.request_id,
        "path": span.path,
        "status": span.status,
        "outcome": span.outcome,
        "key": span.key_id,
        "adapter": span.adapter[:MAX_FIELD_CHARS],
        "version": span.version[:MAX_FIELD_CHARS],
        "form": span.form,
        "route": decision_word(span.route, span.form) if span.route else "",
        "engine": span.engine,
        "wait_ms": _ms(span.wait_s),
        "ttft_ms": _ms(span.ttft_s),
        "duration_ms": _ms(span.duration_s),
        "prompt_tokens": span.prompt_tokens,
        "completion_tokens": span.completion_tokens,
    }
    said = {key: value for key, value in facts.items() if value is not None and value != ""}
    return json.dumps(said, separators=(",", ":")) + "\n"


def rotate(path: Path, *, keep: int) -> None:
    """`NAME` becomes `NAME.1`, `NAME.1` becomes `NAME.2`; what is older than `keep` is removed."""
    for number in range(keep, 0, -1):
        older = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        with contextlib.suppress(FileNotFoundError):
            older.replace(path.with_name(f"{path.name}.{number}"))
    if keep == 0:
        path.unlink(missing_ok=True)


def _still_there(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)
