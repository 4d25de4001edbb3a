"""How a running server is, asked from outside: alive, ready, and with the admin key what is in it.

Owns the three questions. Refuses to print (`scripts/commands/status.py`).
"""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass

from ..adapters.errors import EngineError, UsageError

TIMEOUT_S = 10.0
KEY_HEADER = "x-skillweave-admin-key"


@dataclass(frozen=True)
class Look:
    """What a server said. `problem` is why it is not ready; `state` None without an admin key."""

    url: str
    ready: bool
    problem: str
    state: dict[str, object] | None


def look(url: str, *, admin_key: str | None) -> Look:
    """Ask `/ready` and, with a key, `/admin/state`; `url` may end in `/v1`.

    Raises:
        EngineError: no server of ours answers there.
        UsageError: the admin key is wrong, or admin routes do not answer to this machine.
    """
    root = url.rstrip("/").removesuffix("/v1")
    status, said = _get(f"{root}/ready")
    if status not in (200, 503) or "ready" not in said:
        raise EngineError(
            f"{root}/ready answers {status}, which no skillweave server does; is the address right?"
        )
    state = None
    if admin_key is not None:
        status, state = _get(f"{root}/admin/state", key=admin_key)
        if status != 200:
            raise UsageError(f"{root}/admin/state answers {status}: {_message(state)}")
    return Look(root, bool(said["ready"]), str(said.get("problem") or ""), state)


def _get(url: str, *, key: str | None = None) -> tuple[int, dict[str, object]]:
    headers = {} if key is None else {KEY_HEADER: key}
    try:
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
            return reply.status, _object(reply.read())
    except urllib.error.HTTPError as err:
        with err:
            return err.code, _object(err.read())
    except (OSError, ValueError) as err:
        raise EngineError(
            f"no server answers at {url}: {err}; start one with `skillweave serve`, or say where "
            "it is: skillweave status URL"
        ) from err


def _object(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _message(body: dict[str, object]) -> str:
    error = body.get("error")
    return str(error.get("message")) if isinstance(error, dict) else "no reason given"
