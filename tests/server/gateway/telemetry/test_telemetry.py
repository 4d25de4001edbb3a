"""What a gateway tells about its requests: metrics, ids. Gateway in this process, fake engine."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from aiohttp import web
from skillweave.router.types import Choice, Route, State
from skillweave.server.engines.client import EngineClient, open_session
from skillweave.server.engines.fake import FakeEngine
from skillweave.server.gateway.app import create_app
from skillweave.server.gateway.telemetry.telemetry import Telemetry
from skillweave.server.supervision.listen import free_port

Arena = Any
SERIES = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")


def run(test: Any) -> None:
    asyncio.run(test())


async def series(http: httpx.AsyncClient, **headers: str) -> dict[str, float]:
    """`name{label="value"}` -> value, of one scrape."""
    reply = await http.get("/metrics", headers=headers)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("text/plain")
    lines = [line for line in reply.text.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


class Toss:
    """A selector that takes `sql` for questions about it, and abstains otherwise."""

    def route(self, state: State) -> Route:
        if "sql" in state.messages[-1].content:
            return Route((Choice("sql", "adapter", 1.0),), reason="it was asked for: secret words")
        return Route((), reason="nothing fits")


def test_a_request_is_counted_with_what_decided_and_what_answered(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock, selector=Toss()) as a:
            await a.chat("base")
            await a.chat("sql")
            await a.chat("auto", "some sql please")
            await a.chat("auto", "hello")
            await a.chat("nope")
            seen = await series(a.http)
        decided = {key: value for key, value in seen.items() if "decisions_total" in key}
        assert decided == {
            'skillweave_decisions_total{decision="named",form="none"}': 1,
            'skillweave_decisions_total{decision="named",form="adapter"}': 1,
            'skillweave_decisions_total{decision="selector",form="adapter"}': 1,
            'skillweave_decisions_total{decision="abstain",form="none"}': 1,
        }
        chat = 'skillweave_requests_total{outcome="%s",route="/v1/chat/completions",status="%d"}'
        assert seen[chat % ("ok", 200)] == 4
        assert seen[chat % ("NotFound", 404)] == 1
        assert seen['skillweave_request_seconds_count{adapter="sql"}'] == 2
        assert seen['skillweave_request_seconds_count{adapter="base"}'] == 2
        assert seen["skillweave_wait_seconds_count"] == 4
        assert seen["skillweave_in_flight"] == 0
        assert not any("nope" in key or "secret" in key for key in seen)

    run(test)


def test_only_a_stream_has_a_first_byte(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            await a.chat("base")
            await a.chat("base", stream=True)
            seen = await series(a.http)
        assert seen['skillweave_ttft_seconds_count{adapter="base"}'] == 1
        assert seen['skillweave_request_seconds_count{adapter="base"}'] == 2

    run(test)


def test_engines_and_adapters_are_read_when_asked(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            await a.chat("sql")
            seen = await series(a.http)
            assert seen["skillweave_ready"] == 1
            assert seen['skillweave_engine_ready{engine="0"}'] == 1
            assert seen['skillweave_engine_restarts{engine="0"}'] == 0
            assert seen["skillweave_adapters_loaded"] == 1
            assert seen["skillweave_adapters_in_use"] == 0
            (build,) = [key for key in seen if key.startswith("skillweave_build_info")]
            assert f'family="{stock.identity.family_digest[:12]}"' in build
            assert seen["process_resident_memory_bytes"] > 0

    run(test)


def test_changes_over_admin_routes_are_counted(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            await a.admin("publish", ref="sql@1")
            await a.admin("publish", ref="sql@7")
            seen = await series(a.http)
        published = 'skillweave_publishes_total{kind="publish",outcome="%s"}'
        assert seen[published % "ok"] == 1
        assert seen[published % "refused"] == 1

    run(test)


def test_paths_that_do_not_exist_make_no_series(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            for path in ("/etc/passwd", "/v1/models/x", "/v1/models/y", "/admin/zzz"):
                await a.http.get(path)
            seen = [key for key in await series(a.http) if "requests_total" in key]
        routes = {re.search(r'route="([^"]*)"', key)[1] for key in seen}  # type: ignore[index]
        assert routes == {"unmatched", "/v1/models/{name:path}"}

    run(test)


def test_two_gateways_count_apart() -> None:
    one, two = Telemetry(), Telemetry()
    one.end(one.begin("/v1/completions"))
    assert one.registry.get_sample_value("skillweave_requests_total", REFUSED) == 1
    assert two.registry.get_sample_value("skillweave_requests_total", REFUSED) is None


REFUSED = {"route": "/v1/completions", "status": "0", "outcome": "ok"}


def test_a_sound_request_id_is_taken_over(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            for path in ("/health", "/v1/models", "/nowhere", "/admin/state"):
                reply = await a.http.get(path, headers={"x-request-id": "trace-1.A_b"})
                assert reply.headers.get_list("x-request-id") == ["trace-1.A_b"], path
            body = {"model": "base", "messages": [{"role": "user", "content": "hi"}]}
            for status, model in ((200, "base"), (404, "nope")):
                reply = await a.http.post(
                    "/v1/chat/completions",
                    json={**body, "model": model},
                    headers={"x-request-id": "mine"},
                )
                assert reply.status_code == status
                assert reply.headers.get_list("x-request-id") == ["mine"]

    run(test)


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\tb", "ü", '"', "a/b"])
def test_another_one_is_replaced(arena: Arena, given: str) -> None:
    async def test() -> None:
        async with arena() as a:
            headers = [(b"x-request-id", given.encode())]
            reply = await a.http.get("/health", headers=headers)
            (id_,) = reply.headers.get_list("x-request-id")
            assert re.fullmatch("[0-9a-f]{32}", id_)

    run(test)


def test_loads_are_counted_where_they_happen(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("refused", seed=2)
        async with arena(stock, engines=[FakeEngine(refuse="refused"), FakeEngine()]) as a:
            await a.chat("sql")
            assert (await a.chat("refused")).status_code >= 400
            seen = await series(a.http)
        assert seen["skillweave_adapter_load_seconds_count"] == 3  # two engines, and one of two
        assert seen['skillweave_adapter_load_failures_total{status="500"}'] == 1
        assert seen["skillweave_adapter_unloads_total"] == 1  # the one that came in is taken out
        for engine in "01":
            assert seen[f'skillweave_engine_host_adapters{{engine="{engine}"}}'] == 1
            assert seen[f'skillweave_engine_slots{{engine="{engine}"}}'] >= 1

    run(test)


def test_adapters_beyond_the_limit_share_a_label(arena: Arena, stock: Any) -> None:
    telemetry = Telemetry(max_adapters=2)
    for adapter in ("a", "b", "c", "a+b*0.5", "run-1", "b"):
        span = telemetry.begin("/v1/completions")
        span.adapter = adapter
        telemetry.end(span)
    value = telemetry.registry.get_sample_value
    counts = {
        word: value("skillweave_request_seconds_count", {"adapter": word})
        for word in ("a", "b", "c", "other")
    }
    assert counts == {"a": 1, "b": 2, "c": None, "other": 3}


def test_an_engine_gets_an_id_that_no_other_request_can_have() -> None:
    """vLLM ends every request of an id when the client of one leaves."""
    telemetry = Telemetry()
    scopes = [{"skillweave.request_id": "mine"}, {"skillweave.request_id": "mine"}]
    ids = [telemetry.begin("/v1/completions", scope).engine_id for scope in scopes]
    assert ids[0] != ids[1]
    assert all(each.startswith("mine-") for each in ids)


def test_it_travels_as_a_header() -> None:
    async def test() -> None:
        seen: list[str | None] = []

        async def answer(request: web.Request) -> web.Response:
            seen.append(request.headers.get("x-request-id"))
            return web.Response()

        app = web.Application()
        app.router.add_post("/v1/completions", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        async with open_session() as session:
            client = EngineClient(f"http://127.0.0.1:{port}", secret=None, session=session)
            for id_ in ("mine-1", None):
                async with client.post("/v1/completions", b"{}", request_id=id_):
                    pass
        await runner.cleanup()
        assert seen == ["mine-1", None]

    run(test)


def test_metrics_are_for_this_machine_where_there_is_no_key(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            for headers in ({"x-forwarded-for": "203.0.113.9"}, {"origin": "http://evil.example"}):
                reply = await a.http.get("/metrics", headers=headers)
                assert reply.status_code in (401, 403)
            app = create_app(a.service)
            elsewhere = httpx.ASGITransport(app, client=("203.0.113.9", 1))
            async with httpx.AsyncClient(transport=elsewhere, base_url="http://gateway") as http:
                reply = await http.get("/metrics")
            assert reply.status_code == 401
            assert "SKILLWEAVE_METRICS_KEY" in reply.text

    run(test)
