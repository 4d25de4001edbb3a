"""The engine's own lock: every route but `/health` wants the engine's secret.

vLLM asks for its key below `/v1` and a few other prefixes alone; `/invocations` answers prompts and
`/metrics` tells names to whoever can reach the port, which on a shared machine is everybody. This
is plain ASGI around all of it (`--middleware`), and knows nothing of vLLM.
Owns that check. Refuses to own the secret: it comes in the environment, as vLLM's own.
"""

import hmac
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SECRET = "VLLM_API_KEY"
OPEN = ("/health",)
_BODY = b'{"error":"Unauthorized"}'


class Guard:
    """Lets requests through that carry `Authorization: Bearer SECRET`.

    Args:
        app: what is guarded.
        secret: None takes it from the environment.

    Raises:
        ValueError: there is no secret; an engine without one must not start.
    """

    def __init__(self, app: App, secret: str | None = None) -> None:
        text = os.environ.get(SECRET, "") if secret is None else secret
        if not text:
            raise ValueError(f"{SECRET} is empty: expected the secret that the supervisor makes")
        self._app = app
        self._wanted = f"Bearer {text}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope.get("path") in OPEN or self._carries(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send({"type": "http.response.body", "body": _BODY})

    def _carries(self, scope: Scope) -> bool:
        given = [bytes(value) for name, value in scope["headers"] if name == b"authorization"]
        return len(given) == 1 and hmac.compare_digest(given[0], self._wanted)
