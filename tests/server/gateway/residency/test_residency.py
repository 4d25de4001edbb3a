"""What engines hold: all of them or none, one load for many, true removal, adoption, tidying."""

import asyncio
import logging
from typing import Any

import pytest
from skillweave.server.engines.fake import FakeEngine
from skillweave.server.gateway.residency.servable import of_version

Arena = Any


def run(test: Any) -> None:
    asyncio.run(test())


async def start_engines_again(a: Any) -> None:
    """The supervisor says that they went, and came back."""
    state = a.service.state
    await a.service.follow(state.model_copy(update={"engines": ()}))
    await a.service.follow(state)


def test_fifty_first_requests_are_one_load_in_every_engine(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        engines = [FakeEngine(load_delay_s=0.05), FakeEngine(load_delay_s=0.02)]
        async with arena(stock, engines=engines) as a:
            replies = await asyncio.gather(*(a.chat("sql") for _ in range(50)))
            assert {reply.status_code for reply in replies} == {200}
            assert [len(engine.loads) for engine in engines] == [1, 1]

    run(test)


def test_a_publish_takes_back_what_one_replica_refuses(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("sql", seed=2)
        engines = [FakeEngine(), FakeEngine(refuse="sql--v2"), FakeEngine()]
        async with arena(stock, engines=engines) as a:
            await a.chat("sql@1")
            reply = await a.admin("publish", ref="sql@2", alias="default")
            assert reply.status_code == 422
            assert [len(engine.held) for engine in engines] == [1, 1, 1]  # version 1, as before
            assert stock.store.resolve("sql").number == 1

    run(test)


def test_a_publish_needs_every_replica_and_a_request_only_one(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("sql", seed=2)
        async with arena(stock, engines=[FakeEngine(), FakeEngine()]) as a:
            await a.servers[1].cleanup()  # gone, and nobody knows yet
            reply = await a.admin("publish", ref="sql@2", alias="default")
            assert reply.status_code in (502, 503)
            await a.service.residency.settle()
            assert a.engines[0].held == set()
            assert stock.store.resolve("sql").number == 1
            reply = await a.chat("sql")
            assert reply.status_code == 200
            assert reply.headers["x-skillweave-version"] == "1"

    run(test)


def test_what_retires_leaves_memory_and_not_only_the_list(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            await a.chat("sql")
            assert len(a.engines[0].held) == 1
            a.service.residency.retire(of_version(stock.store.resolve("sql")))
            await a.service.residency.settle()
            assert a.engines[0].held == set()

    run(test)


def test_without_our_plugin_the_name_goes_and_the_log_says_so(
    arena: Arena, stock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        with caplog.at_level(logging.WARNING):
            async with arena(stock, engines=[FakeEngine(plugin=False)]) as a:
                assert "without skillweave's plugin" in caplog.text
                await a.chat("sql")
                a.service.residency.retire(of_version(stock.store.resolve("sql")))
                await a.service.residency.settle()
                assert a.engines[0].adapters == {}
                assert len(a.engines[0].held) == 1

    run(test)


def test_the_engine_s_own_cap_counts_where_nobody_said_one(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("big", seed=1, rank=4)
        engines = [FakeEngine(max_lora_rank=2)]
        async with arena(stock, engines=engines, max_lora_rank=None) as a:
            reply = await a.chat("big")
            assert reply.status_code == 409
            assert "--max-lora-rank 4" in reply.json()["error"]["message"]
            assert engines[0].loads == []

    run(test)


def test_a_new_gateway_adopts_what_it_knows_and_removes_what_it_does_not(
    arena: Arena, stock: Any
) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("csv", seed=2)
        engine = FakeEngine()
        async with arena(stock, engines=[engine]) as a:
            await a.chat("sql")
            await a.chat("csv")
        stranger, mix = "nope--v3--0123456789ab", "mix--0123456789ab"
        elsewhere = next(name for name in engine.adapters if name.startswith("csv"))
        engine.adapters |= {stranger: "/gone", mix: "/gone", "theirs": "/their/own"}
        engine.adapters[elsewhere] = "/tmp/other"  # the name is ours, the folder is not
        engine.held |= {stranger, mix, "theirs"}
        async with arena(stock, engines=[engine]) as a:
            assert [each.what.ref for each in a.service.residency.table] == ["sql@1"]
            assert {name.split("--")[0] for name in engine.held} == {"sql", "theirs"}
            assert (await a.chat("csv")).status_code == 200

    run(test)


def test_an_engine_that_comes_back_gets_the_set_and_loses_the_rest(
    arena: Arena, stock: Any
) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        stock.put("csv", seed=2)
        async with arena(stock) as a:
            await a.chat("sql")
            await a.chat("csv")
            engine = a.engines[0]
            engine.adapters.clear()
            engine.held.clear()
            engine.loads.clear()
            engine.held.add("old--v1--0123456789ab")
            await start_engines_again(a)
            assert sorted(engine.loads) == sorted(engine.held)
            assert len(engine.held) == 2

    run(test)


def test_a_load_that_meets_a_coming_engine_reaches_it_too(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        engines = [FakeEngine(load_delay_s=0.1), FakeEngine()]
        async with arena(stock, engines=engines) as a:
            state = a.service.state
            first = state.model_copy(update={"engines": state.engines[:1]})
            await a.service.follow(first)
            asking = asyncio.create_task(a.chat("sql"))
            while not engines[0].loads:
                await asyncio.sleep(0.005)
            await a.service.follow(state)  # the second comes while the first is loading
            assert (await asking).status_code == 200
            assert [len(engine.held) for engine in engines] == [1, 1]

    run(test)


def test_a_version_that_retires_while_it_is_asked_for_again_is_loaded_again(
    arena: Arena, stock: Any
) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            await a.chat("sql")
            servable = of_version(stock.store.resolve("sql"))
            for _ in range(5):
                a.service.residency.retire(servable)
                assert (await a.chat("sql")).status_code == 200
            await a.service.residency.settle()
            assert len(a.engines[0].held) == 1

    run(test)
