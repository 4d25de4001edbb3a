"""Several engines behind a gateway: chosen by what they hold, left when they fail, drained."""

import asyncio
from typing import Any

from skillweave.server.engines.fake import FakeEngine
from skillweave.server.engines.fake_slots import FakeSlots
from skillweave.server.gateway.pool.health import Event, Standing

Arena = Any


def run(test: Any) -> None:
    asyncio.run(test())


def answered(engine: FakeEngine) -> int:
    return len(engine.asked)


def test_an_adapter_keeps_to_one_engine_while_that_has_its_slot(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        for name in ("a", "b"):
            stock.put(name, seed=ord(name))
        fakes = [FakeEngine(turns=FakeSlots(max_loras=1)) for _ in range(2)]
        async with arena(stock, engines=fakes) as a:
            for _ in range(5):
                await a.words("a")
                await a.words("b")
        assert [fake.turns.swaps for fake in fakes if fake.turns] == [1, 1]
        assert [answered(fake) for fake in fakes] == [5, 5]
        assert all(len(fake.adapters) == 2 for fake in fakes), "every engine has it in memory"

    run(test)


def test_a_busy_engine_spills_over(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("a", seed=1)
        fakes = [FakeEngine(token_delay_s=0.02) for _ in range(2)]
        async with arena(stock, engines=fakes) as a:
            await a.words("a")
            await asyncio.gather(*(a.words("a") for _ in range(12)))
        assert all(answered(fake) >= 3 for fake in fakes)
        assert max(map(answered, fakes)) > min(map(answered, fakes)), "the affine one has more"

    run(test)


def test_a_conversation_stays_with_its_engine(arena: Arena) -> None:
    async def test() -> None:
        fakes = [FakeEngine(token_delay_s=0.005) for _ in range(3)]
        async with arena(engines=fakes) as a:
            for session in ("s", "t"):
                before = [answered(fake) for fake in fakes]
                body = {"model": "base", "messages": [{"role": "user", "content": "hi"}]}
                for _ in range(4):
                    await asyncio.gather(
                        a.http.post(
                            "/v1/chat/completions",
                            json=body,
                            headers={"x-skillweave-session": session},
                        ),
                        a.words("base"),
                    )
                both = [answered(f) - b for f, b in zip(fakes, before, strict=True)]
                assert max(both) >= 4

    run(test)


def test_a_lost_engine_costs_no_request_and_comes_back_by_a_trial(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("a", seed=1)
        fakes = [FakeEngine(), FakeEngine()]
        async with arena(stock, engines=fakes) as a:
            await a.words("a")
            lost = max((0, 1), key=lambda n: answered(fakes[n]))
            await a.servers[lost].cleanup()
            for _ in range(6):
                await a.words("a")
            member = a.service.pool.members[lost]
            assert member.standing is Standing.SUSPECT
            for _ in range(3):
                member.health = member.health.__class__(member.health.failures)  # its time is come
                await a.service.pool.check()
            assert member.standing is Standing.DOWN
            assert member.client not in a.service.pool.ready
            await a.restart(lost)
            member.health = member.health.__class__(member.health.failures)
            await a.service.pool.check()
            assert member.standing is Standing.TRIAL
            a.service.pool.told(member.client, Event.ANSWERED)
            assert member.standing is Standing.UP
            assert await a.words("a")
            await a.servers[lost].cleanup()

    run(test)


def test_a_single_engine_that_broke_off_once_is_still_asked(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            (member,) = a.service.pool.members
            a.service.pool.told(member.client, Event.BROKE_OFF)
            assert member.standing is Standing.SUSPECT
            assert await a.words("base")
            assert member.standing is Standing.UP

    run(test)


def test_a_draining_engine_ends_what_it_has_and_gets_nothing_more(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("a", seed=1)
        fakes = [FakeEngine(token_delay_s=0.05), FakeEngine()]
        async with arena(stock, engines=fakes) as a:
            first = a.service.pool.members[0].client
            going = [asyncio.ensure_future(a.words("base")) for _ in range(2)]
            await asyncio.sleep(0.03)
            reply = await a.admin("drain", engine=first.url)
            assert reply.status_code == 200, reply.text
            assert reply.json()["running"] == first.in_flight == 1
            before = answered(fakes[0])
            for _ in range(4):
                await a.words("a")
            await asyncio.gather(*going)
            assert answered(fakes[0]) == before
            assert not fakes[0].adapters, "nothing is loaded into it any more"
            again = await a.admin("drain", engine=first.url, draining=False)
            assert again.json()["running"] == 0
            async with asyncio.timeout(5):
                while first not in a.service.pool.ready:
                    await asyncio.sleep(0.01)
            assert len(fakes[0].adapters) == 1, "it was brought up to date first"

    run(test)


def test_the_last_engine_drained_is_not_ready(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            url = a.service.pool.members[0].client.url
            await a.admin("drain", engine=url)
            reply = await a.chat("base")
            assert reply.status_code == 503
            assert reply.headers["retry-after"]

    run(test)


def test_an_engine_that_is_not_there_cannot_be_drained(arena: Arena) -> None:
    async def test() -> None:
        async with arena() as a:
            reply = await a.admin("drain", engine="http://127.0.0.1:1")
            assert reply.status_code == 404
            assert a.service.pool.members[0].client.url in reply.json()["error"]["message"]

    run(test)
