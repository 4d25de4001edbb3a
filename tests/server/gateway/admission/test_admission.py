"""Requests through admission in virtual time: who waits, for whom, and how long."""

import asyncio
import contextlib

import pytest
from skillweave.adapters.errors import EngineError
from skillweave.server.gateway.admission.admission import Admission
from skillweave.server.gateway.errors import NotReady
from skillweave.server.gateway.pool.health import Event

from .scene import Log, check_empty, in_order, limits, make, now, wanted
from .virtual import StillPool, run_virtually


def test_base_and_seated_adapters_go_straight_through() -> None:
    async def main() -> None:
        admission = make((2,))
        log = Log(admission)
        asks = [log.ask(name) for name in (None, "a", "b", "a", None, "b") * 20]
        assert await asyncio.gather(*asks) == [0.0] * 120
        assert admission.figures.admitted == 120
        assert not admission.figures.waited
        check_empty(admission)

    run_virtually(main())


def test_an_adapter_without_a_slot_waits_and_its_group_comes_in_together() -> None:
    async def main() -> None:
        admission = make((1,))
        log = Log(admission)
        await asyncio.gather(log.ask("a"), log.ask("b"), log.ask("b"), log.ask(None))
        assert log.began == [(0, "a"), (0, None), (0.6, "b"), (0.6, "b")]  # a, then its linger
        assert admission.figures.waited == {"slot": 2}
        assert admission.figures.grants == 1
        check_empty(admission)

    run_virtually(main())


def test_a_popular_adapter_gives_way_after_its_quantum() -> None:
    async def main() -> None:
        admission = make((1,))
        log = Log(admission)

        async def popular() -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(40):
                    group.create_task(log.ask("hot", lasts=0.3))
                    await asyncio.sleep(0.1)

        async def rare() -> float:
            await asyncio.sleep(0.05)
            return await log.ask("cold", lasts=0.3)

        _, wait_s = await asyncio.gather(popular(), rare())
        assert 0.9 <= wait_s <= 1.0 + 0.3 + 0.01
        check_empty(admission)

    run_virtually(main())


def test_age_cuts_a_long_quantum_short() -> None:
    async def main() -> None:
        admission = make((1,), quantum_s=4.0, max_wait_s=4.0)
        log = Log(admission)

        async def popular() -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(60):
                    group.create_task(log.ask("hot", lasts=0.3))
                    await asyncio.sleep(0.1)

        async def rare() -> float:
            await asyncio.sleep(0.05)
            return await log.ask("cold", lasts=0.1)

        _, wait_s = await asyncio.gather(popular(), rare())
        assert 2.0 <= wait_s <= 2.0 + 0.3 + 0.01

    run_virtually(main())


def test_nobody_waits_longer_than_configured_however_long_answers_take() -> None:
    async def main() -> None:
        admission = make((2,), max_wait_s=3.0)
        log = Log(admission)
        waits = await asyncio.gather(*(log.ask(name, lasts=60.0) for name in "abcdef"))
        assert max(waits) == pytest.approx(3.0)
        assert admission.figures.forced == 3
        assert admission.figures.longest_wait_s == pytest.approx(3.0)
        check_empty(admission)

    run_virtually(main())


def test_while_others_wait_one_adapter_cannot_pile_up_in_an_engine() -> None:
    async def main() -> None:
        admission = make((1,), max_per_adapter=2)
        log = Log(admission)
        asks = [log.ask("a"), log.ask("b"), *(log.ask("a") for _ in range(3))]
        await asyncio.gather(*asks)
        assert in_order(log)[:2] == ["a", "a"]
        assert admission.figures.waited == {"slot": 1, "share": 2}
        check_empty(admission)

    run_virtually(main())


def test_a_group_is_served_by_fair_shares_and_not_by_arrival() -> None:
    async def main() -> None:
        admission = make((1,), max_per_adapter=1)
        log = Log(admission)
        order: list[str] = []

        async def ask(tenant: str) -> None:
            async with admission.enter(wanted("b", tenant)):
                order.append(tenant)
                await asyncio.sleep(0.01)

        greedy = [ask("greedy") for _ in range(20)]
        await asyncio.gather(log.ask("a"), log.ask("c"), *greedy, ask("modest"))
        assert order.index("modest") <= 1
        check_empty(admission)

    run_virtually(main())


def test_priorities_are_virtual_finish_times_and_only_for_engines_that_know_them() -> None:
    async def main() -> None:
        log = Log(make((None,)))
        asks = [log.ask(None, tenant="greedy", cost=100) for _ in range(3)]
        await asyncio.gather(*asks, log.ask(None, tenant="modest", cost=100))
        assert [ticket.priority for ticket in log.tickets] == [100, 200, 300, 100]
        plain = Admission(StillPool((None,), takes_priority=False))
        async with plain.enter(wanted(None)) as ticket:
            assert ticket.priority is None

    run_virtually(main())


def test_what_a_request_tells_of_its_engine() -> None:
    async def main() -> None:
        pool = StillPool((None,))
        admission = Admission(pool)

        async def end_with(err: Exception | None) -> None:
            with pytest.raises(type(err)) if err else contextlib.nullcontext():
                async with admission.enter(wanted(None)):
                    if err:
                        raise err

        await end_with(None)
        await end_with(NotReady("it broke off"))
        await end_with(EngineError("something else"))
        assert pool.events == [Event.ANSWERED, Event.BROKE_OFF]

    run_virtually(main())


def test_without_an_engine_newcomers_are_told_and_those_who_wait_hold_on() -> None:
    async def main() -> None:
        pool = StillPool((1,))
        admission = Admission(pool, limits(max_wait_s=4.0, quantum_s=4.0))
        log = Log(admission)
        held = asyncio.ensure_future(log.ask("a", lasts=20.0))
        await asyncio.sleep(0)
        hopeful, lost = (asyncio.ensure_future(log.ask("b")) for _ in range(2))
        await asyncio.sleep(1.0)
        books, pool.open = pool.open, ()
        pool.on_change()
        with pytest.raises(NotReady):
            await log.ask("a")
        with pytest.raises(NotReady):
            await lost
        assert now() == pytest.approx(4.0)
        assert isinstance(hopeful.exception(), NotReady)
        pool.open = books
        assert await log.ask("a") == 0.0
        await held

    run_virtually(main())


def test_a_session_comes_back_to_its_engine_and_tenants_do_not_share_one() -> None:
    async def main() -> None:
        admission = make((None, None, None))
        async with admission.enter(wanted("a", session="s")) as first:
            pass
        others = []
        async with admission.enter(wanted(None)), admission.enter(wanted(None)):
            async with admission.enter(wanted("z", session="s")) as again:
                assert again.engine is first.engine
            async with admission.enter(wanted("z", "other", session="s")) as foreign:
                others.append(foreign.engine)
        assert others
        check_empty(admission)

    run_virtually(main())
