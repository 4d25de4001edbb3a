"""`skillweave hub serve`: one process that listens, until Ctrl-C or SIGTERM.

Owns what is said at the start, warnings included. Several processes may serve one root on one
machine: everything that changes is guarded by locks on its files. TLS is not ours: put a proxy
that ends it in front, and tell `--url`.
"""

import asyncio
import importlib
import ipaddress
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from ...adapters.errors import SkillweaveError
from ..supervision.listen import address_of, open_listener
from .app import create_hub_app
from .hub import Hub, HubOptions

log = logging.getLogger(__name__)

_STOP_S = 10
_SWEEP_S = 3 * 3600.0


def run_hub(
    root: Path,
    *,
    options: HubOptions,
    say: Callable[[str], None],
    host: str = "127.0.0.1",
    port: int = 8200,
) -> int:
    """Serve a folder in the foreground; returns 0.

    Args:
        port: 0 takes a free one.
        say: gets each line for people.

    Raises:
        PortInUse, UsageError: before anything was started.
    """
    hub = Hub(root, options)
    listener = open_listener(host, port)
    freed = hub.sweep()
    url = options.url or address_of(listener, host)
    for line in greeting(hub, url=url, host=host):
        say(line)
    if freed:
        say(f"removed {freed} unfinished uploads of an earlier day")
    if options.gate:  # the first commit then finds it loaded
        threading.Thread(target=importlib.import_module, args=("torch",), daemon=True).start()
    stop = threading.Event()
    threading.Thread(target=sweep_until, args=(stop, hub), daemon=True).start()
    config = uvicorn.Config(
        create_hub_app(hub),
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=_STOP_S,
    )
    try:
        asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
    finally:
        stop.set()
    return 0


def sweep_until(stop: threading.Event, hub: Hub, *, every_s: float = _SWEEP_S) -> None:
    """Free what was left unfinished, again and again; a failure is logged and tried again."""
    while not stop.wait(every_s):
        try:
            hub.sweep()
        except (SkillweaveError, OSError) as err:
            log.error("sweeping failed and is tried again later: %s", err)


def greeting(hub: Hub, *, url: str, host: str) -> list[str]:
    """What to know at the start: the address, how to use it, and what is unsafe."""
    now = datetime.now(UTC)
    tokens = [token for token in hub.tokens.all() if token.valid(now)]
    lines = [f"hub of {hub.root} on {url}", f"clients: export HF_ENDPOINT={url}"]
    if not tokens:
        reach = "public repositories can be read" if hub.options.public_read else "nobody gets in"
        make = f"skillweave hub token create NAME --write --root {hub.root}"
        lines.append(f"warning: there is no token, so {reach} and nobody can write: {make}")
    if not _is_loopback(host):
        secure = url.startswith("https://")
        if not secure:
            lines.append(
                f"warning: {host} is reachable from other machines and tokens travel unencrypted; "
                "put a proxy with TLS in front and say --url https://..."
            )
        if hub.options.public_read:
            lines.append("warning: public repositories can be read by everybody who gets here")
    if not hub.options.gate:
        lines.append("warning: adapters are not examined (--no-gate)")
    return lines


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
