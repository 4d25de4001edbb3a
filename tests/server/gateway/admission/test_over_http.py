"""Admission as clients and engines see it: statuses, headers, slots, priorities."""

import asyncio
from typing import Any

from skillweave.router.types import Choice, Route, State
from skillweave.server.admission_settings import AdmissionLimits
from skillweave.server.engines.fake import FakeEngine
from skillweave.server.engines.fake_slots import FakeSlots

Arena = Any


def run(test: Any) -> None:
    asyncio.run(test())


def test_an_engine_says_how_many_slots_it_has_and_gets_no_more_adapters(
    arena: Arena, stock: Any
) -> None:
    async def test() -> None:
        names = [f"skill-{n}" for n in range(6)]
        for seed, name in enumerate(names):
            stock.put(name, seed=seed)
        turns = FakeSlots(max_loras=2)
        fake = FakeEngine(turns=turns, token_delay_s=0.005)
        async with arena(stock, engines=[fake], admission=AdmissionLimits(quantum_s=0.05)) as a:
            said = await asyncio.gather(*(a.words(name) for name in names * 3))
            assert len(set(said)) == 6
            assert a.service.admission.figures.waited["slot"] > 0
            assert a.service.admission.gauges.engines[0].slots == 2
        assert 2 <= turns.most_adapters <= 3

    run(test)


def test_too_many_requests_are_told_when_to_come_again(arena: Arena) -> None:
    async def test() -> None:
        limits = AdmissionLimits(max_requests=2, max_requests_per_tenant=2)
        async with arena(engines=[FakeEngine(token_delay_s=0.1)], admission=limits) as a:
            replies = await asyncio.gather(*(a.chat("base") for _ in range(3)))
            assert sorted(reply.status_code for reply in replies) == [200, 200, 429]
            refused = next(reply for reply in replies if reply.status_code == 429)
            assert int(refused.headers["retry-after"]) >= 1
            assert refused.json()["error"]["code"] == "too_busy"

    run(test)


def test_a_deadline_that_passes_in_the_queue_is_a_504(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        for name in ("a", "b"):
            stock.put(name, seed=ord(name))
        fake = FakeEngine(turns=FakeSlots(max_loras=1), token_delay_s=0.5)
        async with arena(stock, engines=[fake]) as a:
            going = asyncio.ensure_future(a.words("a"))
            await asyncio.sleep(0.2)
            body = {"model": "b", "messages": [{"role": "user", "content": "hi"}]}
            late = await a.http.post(
                "/v1/chat/completions", json=body, headers={"x-skillweave-timeout-s": "0.1"}
            )
            assert late.status_code == 504, late.text
            assert a.service.admission.gauges.held == 1
            await going

    run(test)


def test_priorities_reach_only_an_engine_that_takes_them(arena: Arena) -> None:
    async def test() -> None:
        for takes in (True, False):
            fake = FakeEngine()
            async with arena(engines=[fake], takes_priority=takes) as a:
                await a.words("base")
            assert ("priority" in fake.asked[0]) is takes

    run(test)


class Ranked:
    """Chooses nothing, but thinks much of three skills."""

    def route(self, state: State) -> Route:
        return Route((Choice("a"),), "test", {"a": 0.9, "b": 0.8, "gone": 0.7, "c": 0.6})


def test_the_next_best_skills_are_loaded_before_they_are_asked_for(
    arena: Arena, stock: Any
) -> None:
    async def test() -> None:
        for name in "abc":
            stock.put(name, seed=ord(name))
        fake = FakeEngine()
        async with arena(stock, engines=[fake], selector=Ranked()) as a:
            await a.words("auto")
            await a.service.prefetch.settle()
            assert {name[0] for name in fake.adapters} == {"a", "b"}
            assert a.service.admission.figures.prefetches == {"loaded": 1, "failed": 1}
            await a.words("auto")
            await a.service.prefetch.settle()
            assert len(fake.loads) == 2, "not tried again so soon"

    run(test)


def test_nothing_is_loaded_ahead_where_something_else_would_have_to_leave(
    arena: Arena, stock: Any
) -> None:
    async def test() -> None:
        for name in "abc":
            stock.put(name, seed=ord(name))
        fake = FakeEngine(turns=FakeSlots(max_loras=1, max_cpu_loras=1))
        async with arena(stock, engines=[fake], selector=Ranked()) as a:
            await a.words("auto")
            await a.service.prefetch.settle()
            assert {name[0] for name in fake.adapters} == {"a"}

    run(test)


def test_counting_tokens_needs_no_slot(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        for name in ("a", "b"):
            stock.put(name, seed=ord(name))
        fake = FakeEngine(turns=FakeSlots(max_loras=1), token_delay_s=0.2)
        async with arena(stock, engines=[fake]) as a:
            going = asyncio.ensure_future(a.words("a"))
            await asyncio.sleep(0.1)
            reply = await a.http.post("/tokenize", json={"model": "b", "prompt": "one two"})
            assert reply.json()["count"] == 2
            assert not a.service.admission.figures.waited
            await going

    run(test)
