"""Exam `serve`, keys: every route x every kind of key, asked of a whole server over HTTP.

The server listens on every address of this machine; who asks through loopback is here, who asks
through another address is elsewhere. Owns keys of every kind, asking, and the rows. Refuses to own
what is expected (`route_keys.py`).
"""

import asyncio
import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import httpx
import psutil

from ...distill.tiny_base import tiny_base_path
from ...server.access_settings import AUDIT_FILE, KEYS_FILE, access_folder
from ...server.config import ServeConfig
from ...server.gateway.access.audit import Audit
from ...server.gateway.access.key_file import KeyFile, dump_keys
from ...server.gateway.access.keys import STYLE, Wish
from ...server.gateway.app import create_app
from ...server.gateway.service import Service
from ...server.running import serve_in_background
from ...server.state_file import ServerState
from ..bench.rows import Row as Figure
from .route_keys import Row, Tokens, closed_methods, rows

ADMIN_KEY = "admin-key-of-the-exam"
TIMEOUT_S = 60.0


def key_rows(home: Path) -> list[Figure]:
    """The figures: wrong outcomes of all rows, and requests by a method that a route has not.

    Args:
        home: an empty folder for store and keys.
    """
    file = KeyFile(access_folder(home / "store") / KEYS_FILE)
    tokens = make_tokens(file, ADMIN_KEY)
    config = ServeConfig(
        base=str(tiny_base_path()),
        store=home / "store",
        host="0.0.0.0",
        port=0,
        engine="fake",
        admin_key=ADMIN_KEY,
    )
    routes = routes_of_gateway()
    table, closed = rows(routes), closed_methods(routes)
    with serve_in_background(config) as running:
        port = running.root.rpartition(":")[2]
        other = other_address()
        asked = [row for row in table if other is not None or not row.caller.elsewhere]
        with httpx.Client(timeout=TIMEOUT_S) as http:
            wrong = [
                told for row in asked if (told := _ask(http, row, tokens, _place(row, port, other)))
            ]
            open_ = [told for each in closed if (told := _knock(http, *each, tokens, running.root))]
    for line in [*wrong, *open_]:
        print(line)
    entries = Audit(_audit(home)).last(10_000)
    return [
        Figure("routes x keys: wrong outcomes", len(wrong), len(asked), "==", 0),
        Figure("routes x keys: not asked, no second address", len(table) - len(asked), len(table)),
        Figure("methods that no route has: answered", len(open_), len(closed), "==", 0),
        Figure("changes by the admin in the audit log", len(entries), len(entries)),
    ]


def make_tokens(file: KeyFile, admin: str) -> Tokens:
    """A key of each kind in an empty file."""
    made = {
        "full": file.create(Wish(name="full")),
        "scoped": file.create(Wish(name="scoped", globs=("team/*",))),
        "root": file.create(Wish(name="root", admin=True)),
        "expired": file.create(Wish(name="expired", days=1)),
        "revoked": file.create(Wish(name="revoked")),
    }
    file.revoke("revoked")
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    late = {made["expired"].key.id: {"expires_at": past}}
    keys = [key.model_copy(update=late.get(key.id, {})) for key in file.all()]
    file.path.write_bytes(dump_keys(keys))
    return Tokens(
        admin=admin, wrong=STYLE.mint().text, **{kind: each.token for kind, each in made.items()}
    )


def routes_of_gateway() -> list[tuple[str, str]]:
    """Method and path template of every route that the application has."""

    async def look() -> list[tuple[str, str]]:
        state = ServerState(admin_key=ADMIN_KEY, base_name="base")
        async with aiohttp.ClientSession() as session:
            app = create_app(Service(state, session, selector=None))
        return routes_of(app)

    return asyncio.run(look())


def routes_of(app: object) -> list[tuple[str, str]]:
    """Method and path template of every route of an application."""
    found = getattr(app, "routes", ())
    return [(method, route.path) for route in found for method in sorted(route.methods)]


def other_address() -> str | None:
    """An IPv4 address of this machine that is not loopback."""
    for addresses in psutil.net_if_addrs().values():
        for each in addresses:
            if each.family.name == "AF_INET" and not ipaddress.ip_address(each.address).is_loopback:
                return str(each.address)
    return None


def _place(row: Row, port: str, other: str | None) -> str:
    return f"http://{other if row.caller.elsewhere else '127.0.0.1'}:{port}"


def _ask(http: httpx.Client, row: Row, tokens: Tokens, where: str) -> str | None:
    """What is wrong with the answer; None where it is as it must be."""
    headers = row.caller.headers(tokens)
    reply = http.request(row.method, f"{where}{row.path}", headers=headers, json=row.body)
    told = f"{row.method} {row.path}, {row.caller.name}: {reply.status_code}"
    if not row.holds(reply.status_code):
        return f"{told}, expected {row.outcome}"
    said = reply.text + str(reply.headers)
    leaks = "Traceback" in said or any(text in said for text in vars(tokens).values())
    return f"{told} tells too much" if leaks else None


def _knock(http: httpx.Client, method: str, path: str, tokens: Tokens, where: str) -> str | None:
    headers = {"authorization": f"Bearer {tokens.full}", "x-skillweave-admin-key": tokens.admin}
    status = http.request(method, f"{where}{path}", headers=headers).status_code
    return None if status in (404, 405) else f"{method} {path}: {status}"


def _audit(home: Path) -> Path:
    return access_folder(home / "store") / AUDIT_FILE
