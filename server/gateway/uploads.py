"""An adapter that comes as bytes: the parts of a multipart body, written to a new folder.

Only three file names are taken, whatever a client calls its files, so that nothing of a request
becomes a path; sizes are bounded while the bytes come, and each byte is written and digested once.
Owns reading the body. Refuses to judge what came (`adapters/gate/`).
"""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from ...adapters.card import CARD_FILE
from ...adapters.limits import DEFAULT_LIMITS, GiB, MiB
from ...adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE
from .errors import NoRoom, RequestRefused

MAX_WEIGHTS_BYTES = 2 * GiB
MAX_BUNDLE_BYTES = 8 * GiB
MAX_FIELD_BYTES = 1024
MAX_PARTS = 16
FLUSH_BYTES = MiB
"""So much is gathered before a thread writes it: a small adapter is written in one go."""
SIZES: Mapping[str, int] = {
    CONFIG_FILE: DEFAULT_LIMITS.config_bytes,
    WEIGHTS_FILE: MAX_WEIGHTS_BYTES,
    CARD_FILE: DEFAULT_LIMITS.config_bytes,
}
"""The files that are taken, and how large each may be."""


class Stream(Protocol):
    """A request whose body comes in chunks."""

    def stream(self) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True)
class Upload:
    """What came: the fields of the form, and a folder with the files.

    `digest` is SHA-256 (hex) over the digests of config and weights.
    """

    fields: Mapping[str, str]
    folder: Path
    digest: str


@dataclass
class _Part:
    """One part while it comes; `file` is empty for a field."""

    name: str = ""
    file: str = ""
    size: int = 0


@final
@dataclass
class _Form:
    """What the parser tells, bounded and gathered."""

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


class Receiver:
    """Takes one multipart body into a new folder.

    Args:
        folder: made here; must not exist yet. It is the caller's to remove, also after a refusal.
        content_type: of the request.

    Raises:
        RequestRefused: it is no multipart form.
    """

    def __init__(self, folder: Path, *, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise RequestRefused(
                f"content-type is {content_type[:80]!r}: expected multipart/form-data with "
                f"{CONFIG_FILE} and {WEIGHTS_FILE}",
                status=415,
            )
        self.folder = folder
        self._form = form = _Form()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": form.begin,
                    "on_part_data": form.data,
                    "on_header_field": form.header_field,
                    "on_header_value": form.header_value,
                    "on_header_end": form.header_end,
                    "on_headers_finished": form.headers_finished,
                    "on_end": form.end,
                },
            )
        except FormParserError as err:
            raise RequestRefused(f"the multipart boundary: {err}") from err
        self._digests = {name: hashlib.sha256() for name in SIZES}

    async def take(self, request: Stream) -> None:
        """Read the body to its end; the last piece is written by `finish`.

        Raises:
            RequestRefused: too large, unknown or missing parts, no multipart form.
            NoRoom: the disk is full.
        """
        async for chunk in _pieces(request):
            try:
                self._parser.write(chunk)
            except FormParserError as err:
                raise RequestRefused(f"the body is no multipart form: {str(err)[:200]}") from err
            if self._form.pending_bytes > FLUSH_BYTES:
                await asyncio.to_thread(self._flush)
        missing = {CONFIG_FILE, WEIGHTS_FILE} - self._form.files
        if not self._form.ended or missing:
            lacks = f"without {', '.join(sorted(missing))}" if missing else "cut off"
            raise RequestRefused(f"the form is {lacks}: send the two files of a PEFT folder")

    @property
    def fields(self) -> dict[str, str]:
        """The fields that are no files."""
        return {k: v.decode("utf-8", "replace") for k, v in self._form.fields.items()}

    def finish(self) -> Upload:
        """Write what is left. Blocks: call it from a thread.

        Raises:
            NoRoom: the disk is full.
        """
        self._flush()
        both = (self._digests[CONFIG_FILE].digest(), self._digests[WEIGHTS_FILE].digest())
        return Upload(self.fields, self.folder, hashlib.sha256(b"".join(both)).hexdigest())

    def _flush(self) -> None:
        pending, self._form.pending, self._form.pending_bytes = self._form.pending, [], 0
        by_name: dict[str, list[bytes]] = {}
        for name, data in pending:
            by_name.setdefault(name, []).append(data)
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            for name, pieces in by_name.items():
                for piece in pieces:
                    self._digests[name].update(piece)
                with (self.folder / name).open("ab", buffering=0) as sink:
                    sink.write(b"".join(pieces))
        except OSError as err:
            raise no_room(err, self.folder) from err


async def save_stream(request: Stream, path: Path) -> None:
    """Write a body to a new file.

    Raises:
        RequestRefused: above `MAX_BUNDLE_BYTES`.
        NoRoom: the disk is full.
    """
    size, pieces, waiting = 0, list[bytes](), 0
    async for chunk in _pieces(request):
        size, waiting = size + len(chunk), waiting + len(chunk)
        pieces.append(chunk)
        if size > MAX_BUNDLE_BYTES:
            raise RequestRefused(f"the bundle is larger than {MAX_BUNDLE_BYTES} bytes", status=413)
        if waiting > FLUSH_BYTES:
            await asyncio.to_thread(_append, path, pieces)
            pieces, waiting = [], 0
    await asyncio.to_thread(_append, path, pieces)


async def _pieces(request: Stream) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as err:
        raise RequestRefused("the client left before its upload was complete") from err


def no_room(err: OSError, folder: Path) -> NoRoom:
    """What a client is told when its bytes could not be written."""
    return NoRoom(
        f"the upload could not be written ({err.strerror or type(err).__name__}); "
        f"free space: {_free(folder)} bytes"
    )


def _append(path: Path, pieces: list[bytes]) -> None:
    try:
        with path.open("ab") as sink:
            sink.writelines(pieces)
    except OSError as err:
        raise no_room(err, path.parent) from err


def _free(folder: Path) -> int | str:
    try:
        return shutil.disk_usage(folder if folder.is_dir() else folder.parent).free
    except OSError:
        return "an unknown number of"
