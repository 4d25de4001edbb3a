"""A stretch of wire between a client and a server that counts bytes and can stop them half-way.

For exams and tests that kill a transfer in the middle: what counts is where, not when.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_CHUNK_BYTES = 16 * 1024


class WireTap:
    """Listens on a free port of loopback and passes everything on; `sent` and `received` count.

    Args:
        url: of the server.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Condition()
        self._open: set[socket.socket] = set()
        self._limits: dict[str, int | None] = {"sent": None, "received": None}
        self._counts = {"sent": 0, "received": 0}
        self._stopped = threading.Event()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def sent(self) -> int:
        """Bytes from the client since the last `begin`."""
        return self._counts["sent"]

    @property
    def received(self) -> int:
        """Bytes to the client since the last `begin`."""
        return self._counts["received"]

    def begin(self, *, sent: int | None = None, received: int | None = None) -> None:
        """Count from 0; hold everything once that many bytes went one way. None never does."""
        with self._lock:
            self._counts = {"sent": 0, "received": 0}
            self._limits = {"sent": sent, "received": received}
            self._stopped.clear()
            self._lock.notify_all()

    def wait_until_held(self, timeout_s: float) -> bool:
        """Whether the limit was met within the time."""
        return self._stopped.wait(timeout_s)

    def drop(self) -> None:
        """Close every connection, as after the client's death."""
        with self._lock:
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            self._limits = {"sent": None, "received": None}
            self._lock.notify_all()

    def close(self) -> None:
        """Listen no more."""
        self.drop()
        self._listener.close()

    def serve(self) -> None:
        """Accept until closed; runs in a thread."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            with self._lock:
                self._open |= {client, server}
            for what, here, there in (("sent", client, server), ("received", server, client)):
                threading.Thread(
                    target=self._pass_on, args=(what, here, there), daemon=True
                ).start()

    def _pass_on(self, what: str, here: socket.socket, there: socket.socket) -> None:
        try:
            while data := here.recv(_CHUNK_BYTES):
                with self._lock:
                    self._counts[what] += len(data)
                    limit = self._limits[what]
                    if limit is not None and self._counts[what] >= limit:
                        self._stopped.set()
                    self._lock.wait_for(lambda: not self._holding())
                there.sendall(data)
        except OSError:
            pass
        finally:
            with self._lock:
                self._open -= {here}
            for end in (here, there):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            here.close()

    def _holding(self) -> bool:
        limited = any(limit is not None for limit in self._limits.values())
        return limited and self._stopped.is_set()


@contextmanager
def wire_tap(url: str) -> Iterator[WireTap]:
    """A tap in front of `url` for the length of a block."""
    tap = WireTap(url)
    thread = threading.Thread(target=tap.serve, daemon=True)
    thread.start()
    try:
        yield tap
    finally:
        tap.close()
