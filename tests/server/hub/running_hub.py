"""A hub on a free port for the length of a block, in a thread of this process."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from skillweave.server.hub.app import create_hub_app
from skillweave.server.hub.hub import Hub, HubOptions
from skillweave.server.listen import address_of, open_listener
from starlette.types import ASGIApp

Wrap = Callable[[ASGIApp], ASGIApp]


@dataclass(frozen=True)
class RunningHub:
    """A hub that answers at `url`."""

    hub: Hub
    url: str

    def token(self, name: str = "ada", *, write: bool = True, namespaces: str = "") -> str:
        """A new token; namespaces separated by spaces, by default its own."""
        return self.hub.tokens.create(name, write=write, namespaces=namespaces.split()).text


@contextmanager
def running_hub(
    root: Path, options: HubOptions | None = None, *, wrap: Wrap | None = None
) -> Iterator[RunningHub]:
    """Serve `root`; `wrap` stands between the network and the application."""
    hub = Hub(root, options)
    app = create_hub_app(hub)
    listener = open_listener("127.0.0.1", 0)
    config = uvicorn.Config(wrap(app) if wrap else app, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield RunningHub(hub, address_of(listener, "127.0.0.1"))
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()
        assert not thread.is_alive()
