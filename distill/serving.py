"""A server as training and evaluation see it: an address, and somebody who can start one.

Owns the `Launch` protocol, through which a caller above both rooms hands a real server in, and
the few admin calls that a client makes. Everything goes over HTTP.
"""

import ipaddress
import json
import urllib.error
import urllib.request
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from ..adapters.errors import EngineError


class Served(Protocol):
    """A server that answers; `url` ends in `/v1`."""

    @property
    def url(self) -> str: ...
    @property
    def root(self) -> str: ...
    @property
    def admin_key(self) -> str: ...
    @property
    def start_s(self) -> float: ...


@dataclass(frozen=True)
class ServePlan:
    """What is to be served. `rank` is the largest rank of an adapter, `slots` adapters at once."""

    base: Path
    store: Path
    rank: int
    slots: int
    skills: Path | None = None
    router: Path | None = None
    prefix_cache: bool = True


class Launch(Protocol):
    """Starts a server for the length of a `with` block and leaves nothing behind."""

    def __call__(self, plan: ServePlan) -> AbstractContextManager[Served]: ...


def is_loopback(url: str) -> bool:
    """Whether `url` means this machine, which no proxy of the environment may stand before."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def admin(served: Served, verb: str, body: dict[str, object]) -> dict[str, object]:
    """One admin call, such as `publish`.

    Raises:
        EngineError: the server refused; the message is the server's.
    """
    request = urllib.request.Request(
        f"{served.root}/admin/{verb}",
        data=json.dumps(body).encode(),
        headers={
            "content-type": "application/json",
            "x-skillweave-admin-key": served.admin_key,
        },
    )
    try:
        with _opener(request.full_url).open(request, timeout=120) as reply:
            out: dict[str, object] = json.load(reply)
            return out
    except urllib.error.HTTPError as err:
        text = err.read().decode(errors="replace")
        raise EngineError(f"the server refused {verb} {body}: {text}") from err
    except urllib.error.URLError as err:
        raise EngineError(f"the server at {served.root} did not answer {verb}: {err}") from err


def _opener(url: str) -> urllib.request.OpenerDirector:
    direct = [urllib.request.ProxyHandler({})] if is_loopback(url) else []
    return urllib.request.build_opener(*direct)
