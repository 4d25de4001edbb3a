"""The engine's lock: nothing but the health check without the secret."""

import asyncio
from typing import Any

import pytest
from skillweave.server.engines.guard import SECRET, Guard


async def inner(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "reached"})


def asked(path: str, *headers: bytes, kind: str = "http", method: str = "POST") -> list[Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing of the request may be read")

    pairs = [(b"authorization", value) for value in headers]
    scope = {"type": kind, "path": path, "headers": pairs, "method": method}
    asyncio.run(Guard(inner, "the-secret")(scope, receive, send))
    return sent


@pytest.mark.parametrize(
    "path",
    ["/v1/chat/completions", "/invocations", "/tokenize", "/metrics", "/v1", "/", "/healthy"],
)
def test_every_route_wants_the_secret(path: str) -> None:
    assert asked(path, b"Bearer the-secret") == [{"type": "reached"}]
    for wrong in (
        (),
        (b"Bearer no",),
        (b"Bearer ",),
        (b"bearer",),
        (b"\xff",),
        (b"Bearer the-secret", b"Bearer the-secret"),
    ):
        assert asked(path, *wrong)[0]["status"] == 401
    assert asked(path, method="OPTIONS")[0]["status"] == 401
    assert asked(path, kind="websocket")[0]["type"] == "websocket.close"


def test_health_and_the_start_are_open() -> None:
    assert asked("/health") == [{"type": "reached"}]
    assert asked("", kind="lifespan") == [{"type": "reached"}]


def test_an_engine_without_a_secret_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET, raising=False)
    with pytest.raises(ValueError, match="VLLM_API_KEY"):
        Guard(inner)
    monkeypatch.setenv(SECRET, "x")
    Guard(inner)
