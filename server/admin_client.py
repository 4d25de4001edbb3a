"""A client of the admin routes of a running server; plain HTTP, standard library only.

Owns the address, the key, the bytes of an upload and the translation of error bodies. Refuses to
own what is asked.
"""

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..adapters.errors import Conflict, EngineError, NotFound, SkillweaveError, UsageError

ERRORS: dict[int, type[SkillweaveError]] = {
    400: UsageError,
    401: UsageError,
    404: NotFound,
    409: Conflict,
    413: UsageError,
    415: UsageError,
}
TIMEOUT_S = 300.0
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class AdminClient:
    """Talks to one server. `url` may end in `/v1`."""

    url: str
    key: str

    def post(self, verb: str, body: dict[str, object]) -> dict[str, object]:
        """One admin call, such as `publish`.

        Raises:
            NotFound, Conflict, UsageError: the server's own refusal.
            EngineError: no server answers there, or its engine failed.
        """
        data = json.dumps(body).encode()
        return self._send(verb, [data], len(data), kind="application/json")

    def send_files(
        self, verb: str, files: Mapping[str, Path], fields: Mapping[str, str]
    ) -> dict[str, object]:
        """Files and fields as a form; files are read while they are sent.

        Args:
            files: name in the form -> file.

        Raises:
            OSError: a file cannot be read. Others as `post`.
        """
        form = _Form(files, fields)
        return self._send(verb, form.chunks(), form.size, kind=form.kind)

    def send_file(self, verb: str, file: Path) -> dict[str, object]:
        """One file as it is, such as a bundle.

        Raises:
            OSError: it cannot be read. Others as `post`.
        """
        size = file.stat().st_size
        return self._send(verb, _chunks(file), size, kind="application/octet-stream")

    def _send(
        self, verb: str, chunks: Iterable[bytes], size: int, *, kind: str
    ) -> dict[str, object]:
        request = urllib.request.Request(
            f"{self.url.rstrip('/').removesuffix('/v1')}/admin/{verb}",
            data=chunks,
            headers={
                "content-type": kind,
                "content-length": str(size),
                "x-skillweave-admin-key": self.key,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
                answer = json.load(reply)
        except urllib.error.HTTPError as err:
            raise ERRORS.get(err.code, EngineError)(_message(err.read())) from err
        except (OSError, ValueError) as err:
            raise EngineError(
                f"no server answers at {self.url}: {err}; start one with `skillweave serve`, or "
                "say where it is with --url or SKILLWEAVE_URL"
            ) from err
        return dict(answer)


class _Form:
    """A multipart form whose length is known before it is read."""

    def __init__(self, files: Mapping[str, Path], fields: Mapping[str, str]) -> None:
        boundary = secrets.token_hex(16)
        self.kind = f"multipart/form-data; boundary={boundary}"
        self._boundary = boundary
        self._end = f"--{boundary}--\r\n".encode()
        self._parts: list[tuple[bytes, Path | bytes]] = [
            *((self._head(name), text.encode()) for name, text in fields.items()),
            *((self._head(name, file=name), path) for name, path in files.items()),
        ]

    @property
    def size(self) -> int:
        """All bytes of the form."""
        return len(self._end) + sum(len(head) + _size(data) + 2 for head, data in self._parts)

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the form."""
        for head, data in self._parts:
            yield head
            yield from [data] if isinstance(data, bytes) else _chunks(data)
            yield b"\r\n"
        yield self._end

    def _head(self, name: str, *, file: str | None = None) -> bytes:
        filename = f'; filename="{file}"' if file else ""
        head = f'content-disposition: form-data; name="{name}"{filename}'
        return f"--{self._boundary}\r\n{head}\r\n\r\n".encode()


def _size(data: Path | bytes) -> int:
    return len(data) if isinstance(data, bytes) else data.stat().st_size


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            yield chunk


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:300]
