"""Whether a request may come from a browser page of somebody else. Pure.

A page that a user of this machine opens can send requests to 127.0.0.1. A foreign page says so in
`Origin` or `Sec-Fetch-Site`; one that has bound its own name to this address (DNS rebinding) says
its name in `Host`. So a request is ours if its `Host` is an address, localhost or a name we were
told, and if no header says that it began elsewhere. Programs send none of these and pass.
Owns that judgement. Refuses to own which routes need it (`door.py`).
"""

import ipaddress
from collections.abc import Iterable

OWN_SITES = (b"same-origin", b"none")


def foreign_page(headers: Iterable[tuple[bytes, bytes]], *, names: tuple[str, ...]) -> str | None:
    """Why a request may be that of a foreign page; None where it is not.

    Args:
        headers: of the request, names in lower case.
        names: host names by which this server is known, in lower case.
    """
    hosts: list[bytes] = []
    origin: bytes | None = None
    for name, value in headers:
        if name == b"host":
            hosts.append(value)
        elif name == b"origin":
            origin = value
        elif name == b"sec-fetch-site" and value not in OWN_SITES:
            return "a browser sent it for a page of another address"
    if len(hosts) != 1:
        return f"it has {len(hosts)} Host headers, expected one"
    if not _is_ours(hosts[0], names):
        return (
            "its Host header is no name of this server; ask by address or localhost, or put the "
            "name into `server_names` of the server's configuration"
        )
    if origin is not None and origin.partition(b"://")[2] != hosts[0]:
        return "a browser sent it for a page of another address"
    return None


def _is_ours(host: bytes, names: tuple[str, ...]) -> bool:
    if host in _ALWAYS or host.partition(b":")[0] in _ALWAYS:
        return True
    text = host.decode("latin-1").lower()
    name = text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]
    name = name.rstrip(".")
    return name == "localhost" or name in names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


_ALWAYS = frozenset({b"127.0.0.1", b"localhost", b"[::1]"})
