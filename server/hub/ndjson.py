"""Reads the body of a commit as it arrives: lines of JSON, files inside them in base64.

A file's content goes to disk while it comes, so memory stays at one network chunk whatever the size
of the file. Owns the wire format and its bounds. Refuses to own what the operations mean
(`commits.py`).
"""

import binascii
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .blobs import Incoming, Received
from .errors import Refusal
from .limits import HubLimits
from .names import check_file_path, check_sha256, check_text

# The quotes are not escaped, so this can only be a key and the beginning of its text.
_CONTENT = re.compile(rb'"content"\s*:\s*"')


@dataclass(frozen=True)
class Header:
    """The message of the commit, and where the client thinks that the branch is."""

    title: str
    message: str
    parent: str | None


@dataclass(frozen=True)
class AddFile:
    """A file whose content came along."""

    path: str
    received: Received


@dataclass(frozen=True)
class AddLarge:
    """A file that was uploaded by itself; `size` is None where the client does not say."""

    path: str
    sha256: str
    size: int | None


@dataclass(frozen=True)
class Delete:
    """A file, or a folder with all below it."""

    path: str
    folder: bool


Operation = AddFile | AddLarge | Delete


class CommitReader:
    """Feed it chunks; afterwards `header` and `operations` say what was asked.

    Args:
        begin: opens a place for the content of one file.
        limits: of this hub.
    """

    def __init__(self, begin: Callable[[], Incoming], limits: HubLimits) -> None:
        self.header: Header | None = None
        self.operations: list[Operation] = []
        self._begin = begin
        self._limits = limits
        self._buffer = bytearray()
        self._head = b""  # of the line whose content is being read
        self._content: Incoming | None = None
        self._received: Received | None = None
        self._opened: list[Incoming] = []
        self._total = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            Refusal: 400 for what does not parse, 413 for what is too large.
        """
        self._total += len(chunk)
        if self._total > self._limits.commit_bytes:
            raise Refusal(413, f"a commit may have at most {self._limits.commit_bytes} bytes")
        self._buffer += chunk
        while self._step():
            pass

    def finish(self) -> Header:
        """The end of the body; returns the header."""
        self.feed(b"\n")
        if self._content is not None or self._head or self.header is None:
            raise Refusal(400, "the commit ends in the middle, or has no header line")
        return self.header

    def discard(self) -> None:
        """Remove what was received and not kept; idempotent."""
        for incoming in self._opened:
            incoming.discard()

    def _step(self) -> bool:
        if self._content is not None:
            return self._take_content(self._content)
        newline = self._buffer.find(b"\n")
        if self._received is None:
            match = _CONTENT.search(self._buffer, 0, newline if newline >= 0 else len(self._buffer))
            if match:
                self._head = bytes(self._buffer[: match.end()])
                self._check_line(len(self._head))
                del self._buffer[: match.end()]
                self._content = self._begin()
                self._opened.append(self._content)
                return True
        if newline < 0:
            self._check_line(len(self._buffer))
            return False
        line = self._head + bytes(self._buffer[:newline])
        del self._buffer[: newline + 1]
        self._check_line(len(line))
        received, self._received, self._head = self._received, None, b""
        if line.strip():
            self._take_line(line, received)
        return True

    def _take_content(self, content: Incoming) -> bool:
        quote = self._buffer.find(b'"')
        end = quote if quote >= 0 else len(self._buffer) // 4 * 4
        if end:
            content.feed(_decode(bytes(self._buffer[:end])))
            del self._buffer[:end]
        if quote < 0:
            return False
        self._received, self._content = content.finish(), None
        return True  # the buffer now begins with the closing quote

    def _check_line(self, size: int) -> None:
        if size > self._limits.line_bytes:
            raise Refusal(
                413, f"a line of the commit has more than {self._limits.line_bytes} bytes"
            )

    def _take_line(self, line: bytes, received: Received | None) -> None:
        key, value = _parse(line)
        if key == "header":
            if self.header is not None:
                raise Refusal(400, "the commit has two header lines")
            self.header = _header(value)
            return
        if len(self.operations) >= self._limits.commit_operations:
            raise Refusal(413, f"more than {self._limits.commit_operations} operations in a commit")
        self.operations.extend(_operation(key, value, received))


def _parse(line: bytes) -> tuple[str, dict[str, object]]:
    try:
        document = json.loads(line)
        key, value = document["key"], document["value"]
    except (ValueError, KeyError, TypeError, RecursionError) as err:
        raise Refusal(400, 'a line of the commit is no {"key": ..., "value": {...}}') from err
    if not isinstance(key, str) or not isinstance(value, dict):
        raise Refusal(400, "a line of the commit: expected a text as key and an object as value")
    return key, value


def _header(value: dict[str, object]) -> Header:
    title, message = value.get("summary", ""), value.get("description", "")
    parent = value.get("parentCommit")
    title, message = check_text(title, "summary"), check_text(message, "description")
    if parent is not None and not (
        isinstance(parent, str) and re.fullmatch("[0-9a-f]{7,40}", parent)
    ):
        raise Refusal(400, "parentCommit: expected 7 to 40 hex digits")
    return Header(title, message, parent)


def _operation(
    key: str, value: dict[str, object], received: Received | None
) -> Iterator[Operation]:
    path = value.get("path")
    if key == "file":
        if received is None or value.get("encoding", "base64") != "base64":
            raise Refusal(400, "a file of the commit: expected its content in base64")
        yield AddFile(check_file_path(path), received)
    elif key == "lfsFile":
        size = value.get("size")
        known = size if isinstance(size, int) and not isinstance(size, bool) else None
        yield AddLarge(check_file_path(path), check_sha256(value.get("oid")), known)
    elif key in {"deletedFile", "deletedFolder"}:
        text = path.rstrip("/") if isinstance(path, str) else path
        yield Delete(check_file_path(text), folder=key == "deletedFolder")
    else:
        raise Refusal(
            400, f"operation {key[:40]!a}: expected file, lfsFile, deletedFile, ...Folder"
        )


def _decode(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as err:
        raise Refusal(400, f"the content of a file is no base64: {err}") from err
