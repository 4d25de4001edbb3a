"""A hub on a free port, in a thread of this process.

`running_hub` starts one for a block. `HubHost` listens once and puts another hub behind the same
address for each block: what most tests use, because starting and ending a listener takes longer
than they do.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from skillweave.server.hub.app import create_hub_app
from skillweave.server.hub.hub import Hub, HubOptions
from skillweave.server.supervision.listen import address_of, open_listener
from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(frozen=True)
class RunningHub:
    """A hub that answers at `url`."""

    hub: Hub
    url: str

    def token(self, name: str = "ada", *, write: bool = True, namespaces: str = "") -> str:
        """A new token; namespaces separated by spaces, by default its own."""
        return self.hub.tokens.create(name, write=write, namespaces=namespaces.split()).text


class HubHost:
    """An address behind which one hub after another is served."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._app is not None, "a request outside of any block"
        await self._app(scope, receive, send)

    @contextmanager
    def serve(self, root: Path, options: HubOptions | None = None) -> Iterator[RunningHub]:
        """Serve `root` for the length of a block; never two at once."""
        assert self._app is None
        hub = Hub(root, options)
        self._app = create_hub_app(hub)
        try:
            yield RunningHub(hub, self.url)
        finally:
            self._app = None


@contextmanager
def hub_host() -> Iterator[HubHost]:
    """Listen on a free port for the length of a block."""
    listener = open_listener("127.0.0.1", 0)
    host = HubHost(address_of(listener, "127.0.0.1"))
    server = uvicorn.Server(uvicorn.Config(host, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield host
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()
        assert not thread.is_alive()


@contextmanager
def running_hub(root: Path, options: HubOptions | None = None) -> Iterator[RunningHub]:
    """A hub with an address of its own."""
    with hub_host() as host, host.serve(root, options) as found:
        yield found
