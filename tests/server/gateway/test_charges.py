"""Tokens are noted once for each answer, whichever way it ends; streams show what was asked for."""

import asyncio
import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from skillweave.server.engines.fake import FakeEngine
from skillweave.server.gateway.access.caller import ANYBODY
from skillweave.server.gateway.relay.asked import Asked, Wishes
from skillweave.server.gateway.relay.exchange import Meter
from skillweave.server.gateway.relay.usage_wire import Tokens

Arena = Any
USER = [{"role": "user", "content": "one two three"}]


@dataclass
class Book:
    """Hears of every request that has ended, and of every charge."""

    charges: list[tuple[str, str, int, int]] = field(default_factory=list)
    spans: list[Any] = field(default_factory=list)

    def open(self, service: Any) -> "Book":
        service.telemetry.listeners.append(self.spans.append)
        note = service.door.charge

        def charge(caller: Any, name: str, *, prompt: int, completion: int) -> None:
            self.charges.append((caller.key_id, name, prompt, completion))
            note(caller, name, prompt=prompt, completion=completion)

        service.door.charge = charge
        return self


def run(test: Any) -> None:
    asyncio.run(test())


BODIES: dict[str, dict[str, object]] = {
    "/v1/chat/completions": {"messages": USER},
    "/v1/completions": {"prompt": "one two three"},
    "/v1/responses": {"input": "one two three"},
}


def test_every_answer_is_charged_once(arena: Arena, stock: Any) -> None:
    models = {"base": "base", "sql@1": "sql", "sql*0.5": "sql"}

    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            book = Book().open(a.service)
            for path, stream, model in itertools.product(BODIES, (False, True), models):
                body = {"model": model, **BODIES[path], "stream": stream}
                reply = await a.http.post(path, json=body)
                assert reply.status_code == 200, reply.text
                assert f'"model":"{model}"' in reply.text
                assert "sql--v1" not in reply.text
                assert book.charges == [("anybody", models[model], 3, 4)], (path, stream, model)
                (span,) = book.spans
                assert (span.prompt_tokens, span.completion_tokens) == (3, 4)
                book.charges.clear()
                book.spans.clear()

    run(test)


def test_nothing_is_charged_for_errors_and_tokenizing(arena: Arena) -> None:
    async def test() -> None:
        async with arena(engines=[FakeEngine(max_model_len=2)]) as a:
            book = Book().open(a.service)
            assert (await a.chat("base", "one two three")).status_code == 400
            assert (await a.chat("nope")).status_code == 404
            for path in ("/tokenize", "/v1/tokenize"):
                reply = await a.http.post(path, json={"model": "base", "prompt": "one two"})
                assert reply.json()["count"] == 2
            assert book.charges == []

    run(test)


async def events(a: Any, **more: object) -> list[str]:
    reply = await a.chat("base", "one two three", stream=True, **more)
    return [event for event in reply.text.split("\n\n") if event]


def test_only_who_asks_for_usage_sees_it(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            plain = await events(a)
            asked = await events(a, stream_options={"include_usage": True})
            assert len(asked) == len(plain) + 1
            assert json.loads(asked[-2].removeprefix("data: "))["usage"]["completion_tokens"] == 4
            assert not any("usage" in event for event in plain)
            assert plain[-1] == asked[-1] == "data: [DONE]"

    run(test)


def test_no_spelling_of_a_stream_is_cheaper(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            book = Book().open(a.service)
            for stream in (True, "true", 1):
                for options in (None, {"include_usage": "false"}, {"include_usage": 0}):
                    book.charges.clear()
                    more = {"stream": stream, "stream_options": options}
                    reply = await a.chat("base", "one two three", **more)
                    assert reply.headers["content-type"].startswith("text/event-stream")
                    assert book.charges == [("anybody", "base", 3, 4)], more
                    assert "usage" not in reply.text

    run(test)


def test_who_leaves_a_stream_pays_for_what_passed(arena: Arena) -> None:
    async def test() -> None:
        async with arena(engines=[FakeEngine(token_delay_s=0.02)]) as a:
            book = Book().open(a.service)
            app = a.http._transport.app
            sent: list[dict[str, Any]] = []
            gone = asyncio.Event()
            body = json.dumps({"model": "base", "messages": USER, "stream": True}).encode()
            first = True

            async def receive() -> dict[str, object]:
                nonlocal first
                if first:
                    first = False
                    return {"type": "http.request", "body": body, "more_body": False}
                await gone.wait()
                return {"type": "http.disconnect"}

            async def send(message: dict[str, Any]) -> None:
                sent.append(message)
                if len(sent) == 3:
                    gone.set()

            scope = {
                "type": "http",
                "method": "POST",
                "path": "/v1/chat/completions",
                "raw_path": b"/v1/chat/completions",
                "query_string": b"",
                "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")],
                "client": ("127.0.0.1", 1),
            }
            await asyncio.wait_for(app(scope, receive, send), 5)
            ((_, name, prompt, completion),) = book.charges
            assert name == "base"
            assert prompt > 0
            assert 1 <= completion < 4
            (span,) = book.spans
            assert span.outcome == "gone"
            while not a.engines[0].aborted:
                await asyncio.sleep(0.01)

    run(test)


def test_a_second_engine_answers_where_nothing_was_streamed(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        engines = [FakeEngine(), FakeEngine()]
        async with arena(stock, engines=engines) as a:
            await a.chat("sql", stream=True)
            usual, other = sorted(engines, key=lambda engine: -len(engine.asked))
            usual.cut_after = 0
            book = Book().open(a.service)
            reply = await a.chat("sql", stream=True)
            assert reply.status_code == 200
            assert reply.text.endswith("data: [DONE]\n\n")
            assert len(usual.asked) == 2
            assert len(other.asked) == len(book.charges) == 1

    run(test)


DEAD = "EngineCore encountered an issue. See stack trace (above) for the root cause."


@pytest.mark.parametrize(("stream", "late"), [(False, False), (True, False), (True, True)])
def test_an_engine_whose_core_has_ended_does_not_answer_with_that(
    arena: Arena, stock: Any, stream: bool, late: bool
) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        engines = [FakeEngine(), FakeEngine()]
        async with arena(stock, engines=engines) as a:
            await a.chat("sql")
            usual, other = sorted(engines, key=lambda engine: -len(engine.asked))
            usual.fail, usual.fail_late, other.fail_late = DEAD, late, late
            book = Book().open(a.service)
            assert (await a.chat("sql", stream=stream)).status_code == 200
            assert len(other.asked) == len(book.charges) == 1
            other.fail = DEAD
            reply = await a.chat("sql", stream=stream)
            assert reply.status_code == 503
            assert reply.headers["retry-after"]
            assert len(book.charges) == 1

    run(test)


def test_an_adapter_that_one_engine_lacks_is_answered_by_the_other(
    arena: Arena, stock: Any
) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        engines = [FakeEngine(plugin=False), FakeEngine(plugin=False)]
        async with arena(stock, engines=engines) as a:
            assert (await a.chat("sql")).status_code == 200
            usual, other = sorted(engines, key=lambda engine: -len(engine.asked))
            usual.adapters.clear()  # it has forgotten, and will not have it again
            usual.unwilling = True
            book = Book().open(a.service)
            assert (await a.chat("sql")).status_code == 200
            assert [len(engine.asked) for engine in (usual, other)] == [2, 1]
            assert len(book.charges) == 1

    run(test)


def test_no_other_error_of_an_engine_counts_as_its_end(arena: Arena) -> None:
    async def test() -> None:
        async with arena(engines=[FakeEngine(fail=f"cannot read {DEAD!r}")]) as a:
            for _ in range(4):
                assert (await a.chat("base")).status_code == 500
            (member,) = a.service.pool.members
            assert member.standing == "up"

    run(test)


def test_where_every_engine_breaks_off_nothing_is_charged(arena: Arena) -> None:
    async def test() -> None:
        engines = [FakeEngine(cut_after=0), FakeEngine(cut_after=0)]
        async with arena(engines=engines) as a:
            book = Book().open(a.service)
            reply = await a.chat("base", stream=True)
            assert reply.status_code == 503
            assert [len(engine.asked) for engine in engines] == [1, 1]
            assert book.charges == []

    run(test)


def test_time_that_is_over_is_a_504_and_stops_the_engine(arena: Arena) -> None:
    async def test() -> None:
        async with arena(engines=[FakeEngine(token_delay_s=1)]) as a:
            limit = {"x-skillweave-timeout-s": "0.05"}
            body = {"model": "base", "messages": USER}
            late: httpx.Response = await a.http.post(
                "/v1/chat/completions", json=body, headers=limit
            )
            assert late.status_code == 504
            assert late.json()["error"]["code"] == "deadline_passed"
            assert not a.service.pool.ready[0].in_flight
            stream = await a.http.post(
                "/v1/chat/completions", json={**body, "stream": True}, headers=limit
            )
            (said, told) = [event for event in stream.text.split("\n\n") if event]
            assert '"content"' in said
            assert json.loads(told.removeprefix("data: "))["error"]["code"] == "deadline_passed"
            for wrong in ("0", "-1", "x", "inf", "nan", "1e9", ""):
                headers = {"x-skillweave-timeout-s": wrong}
                reply = await a.http.post("/v1/chat/completions", json=body, headers=headers)
                assert reply.status_code == 400, wrong
                assert "x-skillweave-timeout-s" in reply.json()["error"]["message"]

    run(test)


def test_long_events_of_a_stream_that_was_left_are_paid_for() -> None:
    fields: dict[str, object] = {"stream": True, "stream_interval": 10, "max_tokens": 25}
    meter = Meter(Asked(fields, "chat", ANYBODY, Wishes()))
    meter.sent = True
    stream = meter.stream()
    stream.feed(b'data: {"choices":[{}]}\n\n' * 2)
    assert meter.tokens == Tokens(0, 20)
    stream.feed(b'data: {"choices":[{}]}\n\n')
    assert meter.tokens == Tokens(0, 25)  # not more than was asked for
