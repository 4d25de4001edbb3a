"""A step of a run as a client of the admin routes publishes it: one multipart body over a socket.

Owns the bytes of the request. Refuses to know what the server does with them.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from ...adapters import EngineError
from ...adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE
from .serve_wire import Heard, Line

BOUNDARY = "skillweave-bench-boundary"
PUBLISH, STORE = "/admin/publish", "/admin/upload"


def admin_headers(key: str) -> dict[str, str]:
    """What an admin request carries."""
    return {"x-skillweave-admin-key": key}


def upload_request(
    line: Line, folder: Path, fields: Mapping[str, object], *, key: str, path: str = PUBLISH
) -> bytes:
    """The request that publishes the adapter in `folder` as what `fields` name.

    Args:
        fields: `run`, `step` and, if it is not the default, `staleness`; below `STORE` `name`.
        path: `PUBLISH` for a step of a run, `STORE` for a version that is kept.
    """
    parts = [_part(f'name="{name}"', str(value).encode()) for name, value in fields.items()]
    parts += [
        _part(f'name="{name}"; filename="{name}"', (folder / name).read_bytes())
        for name in (CONFIG_FILE, WEIGHTS_FILE)
    ]
    body = b"".join([*parts, b"--%s--\r\n" % BOUNDARY.encode()])
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return line.raw(path, body, {"content-type": kind, **admin_headers(key)})


def publish_stored(line: Line, ref: str, *, key: str, alias: str | None = None) -> Heard:
    """Put a stored version on, and move an alias to it.

    Raises:
        EngineError: the server said no.
    """
    body: dict[str, object] = {"ref": ref, **({"alias": alias} if alias is not None else {})}
    return must(line.ask(line.request(PUBLISH, body, admin_headers(key))))


def must(heard: Heard) -> Heard:
    """An answer that has to be a good one.

    Raises:
        EngineError: it is not.
    """
    if heard.status != 200:
        raise EngineError(f"the server answered {heard.status}: {heard.body[:500]!r}")
    return heard


def ids_of(heard: Heard) -> tuple[int, ...]:
    """The token ids of a completion that was asked for with `return_token_ids`."""
    return tuple(json.loads(heard.body)["choices"][0]["token_ids"])


def _part(disposition: str, content: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\ncontent-disposition: form-data; {disposition}\r\n\r\n"
    return head.encode() + content + b"\r\n"
