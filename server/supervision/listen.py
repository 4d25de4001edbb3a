"""Ports: the one that users are given, and the private ones of engines.

The supervisor opens the listening socket itself, before anything is started, and hands it to the
gateway: a taken port is found in the first second, and a gateway that is started again takes over
the same socket while new connections wait in its queue.
"""

import errno
import socket

from ...adapters.errors import PortInUse, UsageError

BACKLOG = 2048
_LAST_PORT = 65_535


def open_listener(host: str, port: int) -> socket.socket:
    """Listen on (host, port); port 0 takes a free one.

    Raises:
        PortInUse: somebody listens there already, or the port is privileged.
        UsageError: this machine has no such address, or there is no such port.
    """
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"port {port}: expected 0 (a free one) to {_LAST_PORT}; say --port N")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as err:
        raise UsageError(f"host {host!r} is no address of this machine; try 127.0.0.1") from err
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as err:
        listener.close()
        raise _refusal(host, port, err) from err
    return listener


def free_port() -> int:
    """A port on loopback that is free now; for an engine, which cannot be handed a socket."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def address_of(listener: socket.socket, host: str) -> str:
    """`http://HOST:PORT` of a listening socket, as a client on this machine would say it."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)
    return f"http://{shown}:{listener.getsockname()[1]}"


def _refusal(host: str, port: int, err: OSError) -> Exception:
    if err.errno == errno.EADDRINUSE:
        return PortInUse(
            f"port {port} on {host} is in use by another process; stop that process, or choose "
            f"another port with --port N (--port 0 takes a free one)"
        )
    if err.errno == errno.EACCES:
        return PortInUse(
            f"port {port} on {host} may not be opened by this user (ports below 1024 are "
            "privileged); choose another with --port N"
        )
    return UsageError(f"cannot listen on {host}:{port}: {err.strerror}; try --host 127.0.0.1")
