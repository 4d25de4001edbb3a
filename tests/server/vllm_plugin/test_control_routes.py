"""The control routes in vLLM's app, over a stand-in for the engine core."""

import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from skillweave.server.vllm_plugin import control_routes
from skillweave.server.vllm_plugin.control_routes import ControlRoutes


class Core:
    """Answers utility calls as it is told, the last answer for good."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[object, ...]] = []

    async def call_utility_async(self, *call: object) -> object:
        self.calls.append(call)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def make_app(core: Core, *known: str) -> Any:
    app: Any = FastAPI()
    ControlRoutes().attach_router(app)
    app.state.engine_client = SimpleNamespace(engine_core=core)
    app.state.openai_serving_models = SimpleNamespace(
        lora_requests=dict.fromkeys(known, "request"), lora_resolver_lock=defaultdict(asyncio.Lock)
    )
    return app


def ask(app: Any, method: str, path: str, body: object = None) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
            return await client.request(method, f"/v1/skillweave/{path}", json=body)

    return asyncio.run(once())


def test_removal_forgets_the_name_and_asks_again_while_it_is_used() -> None:
    core = Core("busy", "busy", "done")
    app = make_app(core, "a", "b")
    assert ask(app, "POST", "remove", {"lora_name": "a"}).status_code == 200
    assert core.calls == [("skillweave_remove", "a")] * 3
    assert list(app.state.openai_serving_models.lora_requests) == ["b"]


def test_removal_gives_up_after_a_while_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_routes, "WAIT_S", 0.0)
    reply = ask(make_app(Core("busy"), "a"), "POST", "remove", {"lora_name": "a"})
    assert reply.status_code == 409
    assert "requests still use it" in reply.json()["error"]["message"]


def test_what_is_known_nowhere_is_not_found() -> None:
    assert ask(make_app(Core("unknown")), "POST", "remove", {"lora_name": "a"}).status_code == 404
    assert (
        ask(make_app(Core("unknown"), "a"), "POST", "remove", {"lora_name": "a"}).status_code == 200
    )
    assert ask(make_app(Core("done")), "POST", "remove", {"lora_name": "a"}).status_code == 200


@pytest.mark.parametrize(("outcome", "status"), [("done", 200), ("unknown", 404), ("full", 409)])
def test_pinning(outcome: str, status: int) -> None:
    core = Core(outcome)
    reply = ask(make_app(core), "POST", "pin", {"lora_name": "a", "pinned": True})
    assert reply.status_code == status
    assert core.calls == [("skillweave_pin", "a", True)]


def test_an_engine_without_lora_has_no_residency() -> None:
    held = {"slots": ["a"], "host": ["a"], "pinned": [], "max_loras": 1}
    assert ask(make_app(Core(held)), "GET", "residency").json() == held
    assert ask(make_app(Core({})), "GET", "residency").status_code == 404


def test_vllms_unload_asks_the_engine_only_after_the_name_is_gone() -> None:
    async def unload(answer: object) -> tuple[object, list[tuple[object, ...]]]:
        async def stock(request: object) -> object:
            return answer

        core = Core("busy")
        state = SimpleNamespace(openai_serving_models=SimpleNamespace(unload_lora_adapter=stock))
        await ControlRoutes().init_state(SimpleNamespace(engine_core=core), state, None)
        told = await state.openai_serving_models.unload_lora_adapter(SimpleNamespace(lora_name="a"))
        return told, core.calls

    assert asyncio.run(unload("Success")) == ("Success", [("skillweave_remove", "a")])
    refused = SimpleNamespace(error="not here")
    assert asyncio.run(unload(refused)) == (refused, [])
