"""Steps of a training run: published from bytes, asked for by number, gone with the window."""

import asyncio
from typing import Any

from skillweave.server.engines.fake import FakeEngine

from .steps import Arena, adapter, at_once, folders_of, run, state_of, until


def test_a_step_answers_everywhere_as_soon_as_it_is_published(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        engines = [FakeEngine(), FakeEngine()]
        async with arena(stock, engines=engines) as a:
            reply = await a.send("publish", adapter(stock, 1), run="rl", step=1)
            assert reply.status_code == 200, reply.text
            assert reply.json()["ref"] == "rl@1"
            assert [len(engine.loads) for engine in engines] == [1, 1]
            first = await a.chat("rl@1")
            assert first.headers["x-skillweave-adapter"] == "rl"
            assert first.headers["x-skillweave-version"] == "1"
            assert first.json()["model"] == "rl@1"
            assert [len(engine.loads) for engine in engines] == [1, 1]
            await a.send("publish", adapter(stock, 2), run="rl", step=2)
            words = {await a.words(name) for name in ("rl@latest", "rl", "rl@2")}
            assert len(words) == 1
            assert words != {await a.words("rl@1")}

    run(test)


def test_steps_are_in_no_listing_and_can_be_looked_up(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            await a.send("publish", adapter(stock, 1), run="rl", step=7)
            listed = [model["id"] for model in (await a.http.get("/v1/models")).json()["data"]]
            assert listed == ["base"]
            one = (await a.http.get("/v1/models/rl@7")).json()
            assert one["skillweave"]["version"] == "7"
            assert stock.store.list() == []
            assert [each["run"] for each in (await state_of(a))["runs"]] == ["rl"]

    run(test)


def test_the_window_keeps_the_newest_and_the_rest_is_deleted(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            at_once(a)
            for step in range(1, 5):
                reply = await a.send(
                    "publish", adapter(stock, step), run="rl", step=step, staleness=0
                )
            assert reply.json()["kept"] == [3, 4]
            await a.service.publishing.ephemeral.settle()
            assert len(folders_of(a)) == 2
            engine = a.engines[0]
            assert len(engine.adapters) == len(engine.held) == 2
            assert (await a.chat("rl@2")).status_code == 404
            assert (await a.chat("rl@3")).status_code == 200

    run(test)


def test_an_old_step_stays_until_its_last_request_has_ended(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock, engines=[FakeEngine(token_delay_s=0.05)]) as a:
            at_once(a)
            await a.send("publish", adapter(stock, 1), run="rl", step=1, staleness=0)
            alone = await a.words("rl@1", "a b c d e f")
            slow = asyncio.create_task(a.chat("rl@1", "a b c d e f"))
            await until(lambda: any(r.in_use for r in a.service.residency.table))
            for step in (2, 3):
                await a.send("publish", adapter(stock, step), run="rl", step=step, staleness=0)
            assert len(a.engines[0].held) == 3
            assert (await a.chat("rl@1")).status_code == 404
            assert (await slow).json()["choices"][0]["message"]["content"] == alone
            await a.service.publishing.ephemeral.settle()
            assert len(a.engines[0].held) == len(folders_of(a)) == 2

    run(test)


def test_no_answer_is_lost_or_mixed_while_steps_are_published(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        engines = [FakeEngine(token_delay_s=0.002), FakeEngine(token_delay_s=0.001)]
        async with arena(stock, engines=engines) as a:
            at_once(a)
            await a.send("publish", adapter(stock, 1), run="rl", step=1, staleness=0)
            said: dict[str, set[str]] = {}
            done = asyncio.Event()

            async def ask() -> None:
                while not done.is_set():
                    reply = await a.chat("rl@latest", "a b c d e f")
                    assert reply.status_code == 200, reply.text
                    words = reply.json()["choices"][0]["message"]["content"]
                    said.setdefault(reply.headers["x-skillweave-version"], set()).add(words)

            asking = [asyncio.create_task(ask()) for _ in range(4)]
            for step in range(2, 12):
                await a.send("publish", adapter(stock, step), run="rl", step=step, staleness=0)
            done.set()
            await asyncio.gather(*asking)
            await a.service.publishing.ephemeral.settle()
            assert len(said) > 2
            assert {len(words) for words in said.values()} == {1}
            assert len({*map(str, said.values())}) == len(said)
            assert [len(engine.held) for engine in engines] == [2, 2]

    run(test)


def test_a_version_of_the_store_can_be_a_step(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        digest = stock.put("sql", seed=1)
        async with arena(stock) as a:
            at_once(a)
            reply = await a.admin("publish", run="rl", step=1, digest=digest)
            assert reply.json()["ref"] == "rl@1", reply.text
            assert (await a.chat("rl@1")).status_code == 200
            await a.admin("end", run="rl")
            await a.service.publishing.ephemeral.settle()
            assert stock.store.resolve("sql").path.is_dir()
            assert folders_of(a) == []

    run(test)
