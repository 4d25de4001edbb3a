"""An adapter that comes as bytes: the parts of a multipart body, written to a new folder.

Sizes are bounded while the bytes come, and each byte is written and digested once. Owns reading
the body. Refuses to own which parts are taken (`upload_form.py`) and to judge what came
(`adapters/gate/`).
"""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from ....adapters.limits import GiB, MiB
from ....adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE
from ..errors import NoRoom, RequestRefused
from .upload_form import SIZES, Form

MAX_BUNDLE_BYTES = 8 * GiB
FLUSH_BYTES = MiB
"""So much is gathered before a thread writes it: a small adapter is written in one go."""


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
        self._form = form = Form()
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
