"""The relay, wire to wire: gateway in this process, fake engine behind real HTTP."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from skillweave.server.engines.fake import FakeEngine
from skillweave.server.gateway.relay.wire import MAX_BODY_BYTES

USER = [{"role": "user", "content": "hello there"}]
Arena = Any


def run(test: Any) -> None:
    asyncio.run(test())


def headers_of(reply: httpx.Response) -> dict[str, str]:
    marks = {k: v for k, v in reply.headers.items() if k.startswith("x-skillweave")}
    return {key.removeprefix("x-skillweave-"): value for key, value in marks.items()}


def test_base(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            reply = await a.chat("base", "hello there")
            assert reply.status_code == 200
            assert reply.json()["model"] == "base"
            assert headers_of(reply) == {"adapter": "base", "form": "none", "route": "named"}

    run(test)


def test_adapter_by_name_version_and_alias(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("team/sql", seed=1)
        stock.put("team/sql", seed=2)
        stock.store.tag("team/sql", "prod", 2)
        async with arena(stock) as a:
            reply = await a.chat("team/sql")
            assert reply.json()["model"] == "team/sql"
            assert headers_of(reply) == {
                "adapter": "team/sql",
                "version": "1",
                "form": "adapter",
                "route": "named",
                "error": "0",
            }
            first, prod = await a.words("team/sql@1"), await a.words("team/sql@prod")
            assert first == await a.words("team/sql")
            assert prod == await a.words("team/sql@2") == await a.words("team/sql@latest")
            assert first != prod
            assert a.engines[0].loads == ["team.sql--v1--" + first_digest(stock), second(stock)]

    def first_digest(stock: Any) -> str:
        return str(stock.store.resolve("team/sql@1").version_digest[:12])

    def second(stock: Any) -> str:
        return "team.sql--v2--" + str(stock.store.resolve("team/sql@2").version_digest[:12])

    run(test)


def test_stream_has_the_public_name_and_its_end(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            whole = await a.words("sql@1")
            reply = await a.chat("sql@1", stream=True)
            assert reply.headers["content-type"].startswith("text/event-stream")
            events = reply.text.split("\n\n")
            assert events[-2:] == ["data: [DONE]", ""]
            chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
            assert {chunk["model"] for chunk in chunks} == {"sql@1"}
            text = "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks)
            assert text == whole

    run(test)


def test_completions_and_tokenize(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            body = {"model": "sql", "prompt": "a b c"}
            reply = await a.http.post("/v1/completions", json=body)
            assert reply.json()["model"] == "sql"
            assert reply.json()["choices"][0]["text"].endswith("a b c")
            reply = await a.http.post("/tokenize", json={"model": "base", "prompt": "a b c"})
            assert reply.json()["count"] == 3

    run(test)


@pytest.mark.parametrize(
    "model", ["nope", "team/nope", "gpt-4.1", "Qwen/Qwen3-8B", "sql@9", "sql@nope", "nope:text"]
)
def test_unknown_models_all_get_openai_s_404(arena: Arena, stock: Any, model: str) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            reply = await a.chat(model)
            assert reply.status_code == 404
            error = reply.json()["error"]
            assert error["code"] == "model_not_found"
            assert error["param"] == "model"
            assert "does not exist or you do not have access" in error["message"]
            assert a.engines[0].loads == []

    run(test)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("sql:txt", "form 'txt' is unknown"),
        ("sql@", "alias"),
        ("base:text", "stand alone"),
        ("sql:text", "no skill text"),
        ("auto", "serve --router"),
    ],
)
def test_what_cannot_be_served_says_why(arena: Arena, stock: Any, model: str, says: str) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            reply = await a.chat(model)
            assert reply.status_code == 400, reply.text
            assert says in reply.json()["error"]["message"]

    run(test)


def test_refused_bodies(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            post = a.http.post
            kind = {"content-type": "application/json"}
            path = "/v1/chat/completions"
            twice = b'{"model":"base","model":"base","messages":[{"role":"user","content":"x"}]}'
            assert (await post(path, content=twice, headers=kind)).status_code == 400
            assert (await post(path, content=b"{", headers=kind)).status_code == 400
            assert (await a.chat("base", priority=1)).status_code == 400
            empty = {"model": "base", "messages": []}
            assert (await post(path, json=empty)).status_code == 400
            plain = await post(path, content=twice, headers={"content-type": "text/plain"})
            assert plain.status_code == 415
            huge = b" " * (MAX_BODY_BYTES + 1)
            assert (await post(path, content=huge, headers=kind)).status_code == 413

    run(test)


def test_an_over_long_prompt_keeps_the_engine_s_reason(arena: Arena) -> None:
    async def test() -> None:
        async with arena(engines=[FakeEngine(max_model_len=5)]) as a:
            reply = await a.chat("base", "word " * 6)
            assert reply.status_code == 400
            assert "maximum context length is 5" in reply.json()["error"]["message"]

    run(test)


def test_text_form(arena: Arena, stock: Any, new_skill: Any, tmp_path: Path) -> None:
    async def test() -> None:
        skills = tmp_path / "skills"
        new_skill(skills / "csv-clean", name="csv-clean", body="Trim each cell.")
        async with arena(stock, skills=skills) as a:
            reply = await a.chat("csv-clean", "now")
            marks = headers_of(reply)
            assert marks["form"] == "text"
            assert marks["adapter"] == "csv-clean"
            assert len(marks["version"]) == 12
            assert reply.json()["model"] == "csv-clean"
            assert "Trim each cell. now" in reply.text
            prompt = {"model": "csv-clean", "prompt": "now"}
            refused = await a.http.post("/v1/completions", json=prompt)
            assert refused.status_code == 400
            assert "/v1/chat/completions" in refused.json()["error"]["message"]
            assert (await a.chat("csv-clean:adapter")).status_code == 404

    run(test)


@pytest.mark.parametrize("stream", [False, True])
def test_a_name_in_what_a_client_sent_along_is_his(
    arena: Arena, new_skill: Any, tmp_path: Path, stream: bool
) -> None:
    async def test() -> None:
        new_skill(tmp_path / "skills" / "one", name="one")
        async with arena(skills=tmp_path / "skills") as a:
            body = {"model": "one", "input": "hi", "metadata": {"model": "base"}, "stream": stream}
            reply = await a.http.post("/v1/responses", json=body)
            assert '"model":"one"' in reply.text
            assert '"metadata":{"model":"base"}' in reply.text
            assert '"metadata":{"model":"one"}' not in reply.text

    run(test)


def test_skills_without_any_store(arena: Arena, new_skill: Any, tmp_path: Path) -> None:
    async def test() -> None:
        new_skill(tmp_path / "skills" / "one", name="one", body="The body.")
        async with arena(skills=tmp_path / "skills") as a:
            assert "The body." in await a.words("one")
            listed = (await a.http.get("/v1/models")).json()["data"]
            assert [model["id"] for model in listed] == ["base", "one"]

    run(test)


def test_evidence_decides_the_form(
    arena: Arena, stock: Any, new_skill: Any, tmp_path: Path
) -> None:
    async def test() -> None:
        skill = new_skill(tmp_path / "sql", name="sql", body="Old text.")
        digest = stock.put("sql", seed=1, skill=skill)

        async def form() -> str:
            async with arena(stock) as a:
                return headers_of(await a.chat("sql"))["form"]

        assert await form() == "adapter"
        stock.store.attest(digest, {"form": "text"})
        assert await form() == "text"
        stock.store.attest(digest, {"note": "nothing about forms"})
        assert await form() == "text"
        stock.store.attest(digest, {"form": "none"})
        assert await form() == "none"
        async with arena(stock) as a:
            assert headers_of(await a.chat("sql:adapter"))["form"] == "adapter"
            assert "Old text." in await a.words("sql:text")
            base = await a.words("base")
            assert await a.words("sql") == base

    run(test)


def test_measured_evidence_decides_as_the_router_s_rule_says(
    arena: Arena, stock: Any, new_skill: Any, tmp_path: Path
) -> None:
    async def test() -> None:
        digest = stock.put("sql", seed=1, skill=new_skill(tmp_path / "sql", name="sql"))
        own = stock.identity.family_digest

        async def form(**measured: object) -> str:
            stock.store.attest(digest, {"type": "routing-evidence", **measured})
            async with arena(stock) as a:
                return headers_of(await a.chat("sql"))["form"]

        assert await form(base="0" * 64, adapter_meets=False) == "adapter"  # another base
        assert await form(base=own, adapter_meets=False, text_helps=True) == "text"
        assert await form(base=own, adapter_meets=False, text_helps=False) == "none"
        assert await form(base=own, adapter_meets=True) == "adapter"

    run(test)


def test_template_arguments_of_the_card(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1, template_args={"thinking": False})
        async with arena(stock) as a:
            assert '{"thinking": false}' in await a.words("sql")
            own = await a.words("sql", chat_template_kwargs={"thinking": True})
            assert '{"thinking": true}' in own

    run(test)


def test_no_engine_is_a_503(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            await a.service.follow(a.service.state.model_copy(update={"engines": ()}))
            assert (await a.chat("base")).status_code == 503
            assert (await a.http.get("/ready")).status_code == 503
            assert (await a.http.get("/health")).status_code == 200

    run(test)


def test_a_stream_that_breaks_off_ends_with_an_error(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock, engines=[FakeEngine(cut_after=2, token_delay_s=0.02)]) as a:
            reply = await a.chat("sql", "a b c d", stream=True)
            assert reply.status_code == 200
            events = [event for event in reply.text.split("\n\n") if event]
            assert len(events) == 3
            assert json.loads(events[-1].removeprefix("data: "))["error"]["code"]
            assert "[DONE]" not in reply.text
            assert not any(resident.in_use for resident in a.service.residency.table)

    run(test)


def test_an_engine_that_vanishes_is_a_503(arena: Arena) -> None:
    async def test() -> None:
        async with arena(engines=[FakeEngine(token_delay_s=5)]) as a:
            asked = asyncio.create_task(a.chat("base"))
            while not a.service.pool.ready[0].in_flight:
                await asyncio.sleep(0.01)
            await a.stop_engines()
            reply = await asked
            assert reply.status_code == 503
            assert "127.0.0.1" not in reply.text  # where an engine lives is nobody's business
            assert reply.headers["retry-after"]
            assert reply.json()["error"]["code"] == "engine_not_ready"
            again = await a.chat("base")
            assert again.status_code == 503

    run(test)


def test_errors_outside_the_relay_have_openai_s_body(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            for reply in (await a.http.get("/nope"), await a.http.get("/v1/models/nope")):
                assert reply.status_code == 404
                assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
            reply = await a.http.get("/v1/chat/completions")
            assert reply.status_code == 405
            assert "error" in reply.json()

    run(test)


def test_models_list(arena: Arena, stock: Any, new_skill: Any, tmp_path: Path) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("sql", seed=2)
        skills = tmp_path / "skills"
        new_skill(skills / "csv", name="csv")
        new_skill(skills / "sql", name="sql")
        async with arena(stock, skills=skills) as a:
            listed = {m["id"]: m for m in (await a.http.get("/v1/models")).json()["data"]}
            assert list(listed) == ["base", "csv", "sql"]
            assert listed["base"]["parent"] is None
            assert listed["sql"]["parent"] == "base"
            assert listed["sql"]["skillweave"] == {
                "form": "adapter",
                "version": "1",
                "versions": [1, 2],
                "aliases": {"default": 1},
            }
            assert listed["csv"]["skillweave"]["form"] == "text"
            one = await a.http.get("/v1/models/sql")
            assert one.json()["id"] == "sql"

    run(test)


def test_a_version_stored_while_serving_is_found(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            assert (await a.chat("sql")).status_code == 404
            stock.put("sql", seed=1)
            await asyncio.sleep(0.6)  # what was unknown may be remembered for half a second
            assert (await a.chat("sql")).status_code == 200

    run(test)


def test_prompts_are_not_logged(arena: Arena, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with arena() as a:
            await a.chat("base", "a very private question")
            await a.chat("nope", "a very private question")

    with caplog.at_level("DEBUG", logger="skillweave"):
        run(test)
    assert "private" not in caplog.text
