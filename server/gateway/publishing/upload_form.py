"""What is taken from a multipart form: which parts, how many, how large; told by its parser.

Only three file names are taken, whatever a client calls its files, so that nothing of a request
becomes a path. Owns these bounds. Refuses to own bytes on a disk (`uploads.py`). To take one more
file: its name and its largest size in `SIZES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from python_multipart.multipart import parse_options_header

from ....adapters.card import CARD_FILE
from ....adapters.limits import DEFAULT_LIMITS, GiB
from ....adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE
from ..errors import RequestRefused

MAX_WEIGHTS_BYTES = 2 * GiB
MAX_FIELD_BYTES = 1024
MAX_PARTS = 16
SIZES: Mapping[str, int] = {
    CONFIG_FILE: DEFAULT_LIMITS.config_bytes,
    WEIGHTS_FILE: MAX_WEIGHTS_BYTES,
    CARD_FILE: DEFAULT_LIMITS.config_bytes,
}
"""The files that are taken, and how large each may be."""


@dataclass
class _Part:
    """One part while it comes; `file` is empty for a field."""

    name: str = ""
    file: str = ""
    size: int = 0


@final
@dataclass
class Form:
    """What the parser tells, bounded and gathered.

    `fields` are the parts that are no files, `pending` the bytes of files that nobody took yet.
    """

    fields: dict[str, bytes] = field(default_factory=dict)
    pending: list[tuple[str, bytes]] = field(default_factory=list)
    pending_bytes: int = 0
    files: set[str] = field(default_factory=set)
    parts: int = 0
    ended: bool = False
    _part: _Part = field(default_factory=_Part)
    _header: list[bytes] = field(default_factory=lambda: [b"", b""])

    def begin(self) -> None:
        self.parts += 1
        self._part = _Part()
        if self.parts > MAX_PARTS:
            raise RequestRefused(f"more than {MAX_PARTS} parts: send one adapter at a time")

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def header_end(self) -> None:
        name, value = self._header
        self._header = [b"", b""]
        if name.lower() == b"content-disposition":
            _, options = parse_options_header(value)
            called = options.get(b"name", b"").decode("latin-1")
            file = options.get(b"filename", b"").decode("latin-1")
            self._part = _Part(called, file or (called if called in SIZES else ""))

    def headers_finished(self) -> None:
        name, file = self._part.name, self._part.file
        if file and file not in SIZES:
            raise RequestRefused(
                f"file {file[:80]!r}: expected {', '.join(SIZES)}; a skill's own files travel in a "
                "bundle (`skillweave export NAME --bundle FILE`)",
                param=name[:80] or None,
            )
        if (file or name) in {*self.files, *self.fields}:
            raise RequestRefused(f"{(file or name)[:80]!r} comes twice: send it once")
        if file:
            self.files.add(file)
            self.pending.append((file, b""))
        else:
            self.fields[name] = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        part.size += end - start
        most = SIZES[part.file] if part.file else MAX_FIELD_BYTES
        if part.size > most:
            raise RequestRefused(
                f"{(part.file or part.name)[:80]!r} is larger than {most} bytes", status=413
            )
        if part.file:
            self.pending.append((part.file, data[start:end]))
            self.pending_bytes += end - start
        else:
            self.fields[part.name] += data[start:end]

    def end(self) -> None:
        self.ended = True
