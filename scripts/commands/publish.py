"""`skillweave publish`, `promote`, `alias`: clients of a running server.

`publish` loads a stored version into every engine; `promote` also points an alias at it; `alias`
does the same by name. All of them return when the server serves it. Owns options and messages;
the work is in `server/gateway/publish.py`.
"""

import json as jsonlib
from typing import Annotated

import typer

from ...adapters.errors import UsageError
from ...adapters.expr import parse_ref
from ...adapters.names import DEFAULT_ALIAS, parse_version
from ...server.admin_client import AdminClient
from ...server.settings import admin_key_from_environment, server_url_from_environment

Ref = Annotated[str, typer.Argument(help="A stored version, such as sql-report@3.")]
Url = Annotated[
    str | None, typer.Option(help="The server; default: SKILLWEAVE_URL, else port 8000 here.")
]
Key = Annotated[
    str | None, typer.Option(help="The admin key that `serve` printed; or SKILLWEAVE_ADMIN_KEY.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the server's answer as JSON.")]
LOCAL = "http://127.0.0.1:8000"


def publish(ref: Ref, url: Url = None, admin_key: Key = None, json: AsJson = False) -> int:
    """Load a stored version into every engine of a running server; no alias is moved."""
    parse_ref(ref)
    return _call("publish", {"ref": ref}, url=url, key=admin_key, as_json=json)


def promote(
    ref: Ref,
    alias: Annotated[str, typer.Option(help="The alias to move.")] = DEFAULT_ALIAS,
    url: Url = None,
    admin_key: Key = None,
    json: AsJson = False,
) -> int:
    """Load a stored version into every engine, then point an alias at it."""
    parse_ref(ref)
    return _call("publish", {"ref": ref, "alias": alias}, url=url, key=admin_key, as_json=json)


def alias(
    name: Annotated[str, typer.Argument(help="A stored adapter, such as sql-report.")],
    assignment: Annotated[str, typer.Argument(metavar="ALIAS=V", help="Such as prod=3.")],
    url: Url = None,
    admin_key: Key = None,
    json: AsJson = False,
) -> int:
    """Point an alias of a running server at a version, once that is loaded everywhere."""
    which, number = _parse_assignment(assignment)
    body: dict[str, object] = {"name": name, "alias": which, "version": number}
    return _call("alias", body, url=url, key=admin_key, as_json=json)


def _parse_assignment(text: str) -> tuple[str, int]:
    which, equals, version = text.partition("=")
    number = parse_version(version)
    if "," in version or ":" in version:
        raise UsageError(f"{text!r} splits traffic, which this server does not do yet: say ALIAS=V")
    if not equals or number is None:
        raise UsageError(f"{text!r} is no assignment: expected ALIAS=V, such as prod=3")
    return which, number


def _call(
    verb: str, body: dict[str, object], *, url: str | None, key: str | None, as_json: bool
) -> int:
    admin_key = key or admin_key_from_environment()
    if admin_key is None:
        raise UsageError(
            "no admin key: pass --admin-key or set SKILLWEAVE_ADMIN_KEY to the key that "
            "`skillweave serve` printed"
        )
    client = AdminClient(url or server_url_from_environment() or LOCAL, admin_key)
    answer = client.post(verb, body)
    moved = f", alias {answer['alias']!r} points at it" if answer.get("alias") else ""
    print(jsonlib.dumps(answer) if as_json else f"{answer['ref']} is served{moved}")
    return 0
