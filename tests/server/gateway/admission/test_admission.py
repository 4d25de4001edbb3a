"""Requests through admission in virtual time: who waits, how long, and that nothing is left."""

import asyncio
import contextlib
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from skillweave.adapters.errors import EngineError
from skillweave.server.admission_settings import AdmissionLimits
from skillweave.server.gateway.admission.admission import Admission, Ticket, Wanted
from skillweave.server.gateway.errors import DeadlinePassed, NotReady, TooBusy
from skillweave.server.gateway.pool_health import Event

from .virtual import JumpingLoop, StillPool, run_virtually


def wanted(adapter: str | None, tenant: str = "t", **more: Any) -> Wanted:
    return Wanted(adapter, tenant, more.pop("cost", 10), **more)


def limits(**fields: Any) -> AdmissionLimits:
    return AdmissionLimits.model_validate({"quantum_s": 1.0, "linger_s": 0.1, **fields})


def now() -> float:
    return asyncio.get_running_loop().time()


class Log:
    """Runs requests and writes down when each got its engine."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.began: list[tuple[float, str | None]] = []
        self.tickets: list[Ticket] = []

    async def ask(self, adapter: str | None, *, lasts: float = 0.5, **more: Any) -> float:
        came = now()
        async with self._admission.enter(wanted(adapter, **more)) as ticket:
            self.began.append((round(now(), 3), adapter))
            self.tickets.append(ticket)
            await asyncio.sleep(lasts)
        return now() - came - lasts


def in_order(log: Log) -> list[str | None]:
    return [adapter for _, adapter in log.began]


def check_empty(admission: Admission) -> None:
    gauges = admission.gauges
    assert (gauges.held, gauges.tenants, gauges.waiting_adapters) == (0, 0, 0)
    assert sum(gauges.waiting.values()) == 0


def make(slots: tuple[int | None, ...], **fields: Any) -> Admission:
    return Admission(StillPool(slots), limits(**fields))


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


def test_a_full_house_says_when_to_come_again() -> None:
    async def main() -> None:
        admission = make((1,), max_requests=3, max_requests_per_tenant=2)
        async with admission.enter(wanted("a")), admission.enter(wanted("a")):
            with pytest.raises(TooBusy, match="one tenant") as refused:
                async with admission.enter(wanted("a")):
                    pass
            assert refused.value.retry_after_s >= 1
            async with admission.enter(wanted("a", "u")):
                with pytest.raises(TooBusy, match="3 requests"):
                    async with admission.enter(wanted(None, "v")):
                        pass
        assert admission.figures.refused == {"places": 2}
        check_empty(admission)

    run_virtually(main())


def test_a_deadline_that_passes_in_the_queue_is_told_then_and_frees_the_place() -> None:
    async def main() -> None:
        admission = make((1,), quantum_s=9.0)
        log = Log(admission)
        held = asyncio.ensure_future(log.ask("a", lasts=50.0))
        await asyncio.sleep(0)
        with pytest.raises(DeadlinePassed, match=r"2\.5 s"):
            await log.ask("b", timeout_s=2.5)
        assert now() == pytest.approx(2.5)
        assert admission.gauges.held == 1
        with pytest.raises(DeadlinePassed, match="no time"):
            await log.ask(None, timeout_s=0.0)
        await held
        check_empty(admission)

    run_virtually(main())


def test_a_deadline_that_cannot_be_kept_is_refused_at_once() -> None:
    async def main() -> None:
        admission = make((1,))
        log = Log(admission)
        await log.ask("a", lasts=8.0)  # adapters are known to stay for some 8 s
        held = asyncio.ensure_future(log.ask("a", lasts=8.0))
        await asyncio.sleep(0)
        began = now()
        with pytest.raises(TooBusy, match=r"about 8\.0 s") as refused:
            await log.ask("b", timeout_s=2.0)
        assert now() == began
        assert refused.value.retry_after_s == pytest.approx(8.0)
        await held
        check_empty(admission)

    run_virtually(main())


def test_a_client_that_leaves_frees_its_place_at_once() -> None:
    async def main() -> None:
        admission = make((1,))
        log = Log(admission)
        held = asyncio.ensure_future(log.ask("a", lasts=5.0))
        await asyncio.sleep(0)
        leaver = asyncio.ensure_future(log.ask("b"))
        await asyncio.sleep(1.0)
        leaver.cancel()
        await asyncio.gather(leaver, return_exceptions=True)
        assert (admission.gauges.held, admission.gauges.waiting_adapters) == (1, 0)
        assert admission.figures.left == 1
        await held
        check_empty(admission)

    run_virtually(main())


def test_a_client_that_leaves_in_the_moment_of_its_turn_leaves_no_seat_behind() -> None:
    async def main() -> None:
        admission = make((1,), linger_s=0.0)
        entry = admission.enter(wanted("a"))
        await entry.__aenter__()
        leaver = asyncio.ensure_future(Log(admission).ask("b"))
        await asyncio.sleep(0.1)
        await entry.__aexit__(None, None, None)  # b's turn comes, its task has not run yet
        leaver.cancel()
        await asyncio.gather(leaver, return_exceptions=True)
        check_empty(admission)
        assert await Log(admission).ask("c") == 0.0

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


class Clients(RuleBasedStateMachine):
    """Clients come, wait, leave, are answered, in any order; the books agree after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=JumpingLoop)
        self.pool = StillPool((2, 1))
        self.admission = self.runner.run(self._made())
        self.tasks: list[asyncio.Task[None]] = []
        self.ends: list[asyncio.Event] = []
        self.waits: list[float] = []

    async def _made(self) -> Admission:
        return Admission(
            self.pool,
            limits(max_requests=12, max_requests_per_tenant=8, max_wait_s=5.0, max_per_adapter=2),
        )

    async def _client(self, asked: Wanted, end: asyncio.Event) -> None:
        came = now()
        try:
            async with self.admission.enter(asked):
                self.waits.append(now() - came)
                await end.wait()
        except (TooBusy, DeadlinePassed):
            pass

    @rule(
        adapter=st.sampled_from([None, *"abcde"]),
        tenant=st.sampled_from("xy"),
        timeout_s=st.sampled_from([None, 1.0, 20.0]),
    )
    def come(self, adapter: str | None, tenant: str, timeout_s: float | None) -> None:
        async def main() -> None:
            end = asyncio.Event()
            self.ends.append(end)
            asked = wanted(adapter, tenant, timeout_s=timeout_s)
            self.tasks.append(asyncio.ensure_future(self._client(asked, end)))
            await asyncio.sleep(0)

        self.runner.run(main())

    @precondition(lambda self: self.tasks)
    @rule(which=st.integers(0, 99), settle=st.booleans())
    def answer(self, which: int, settle: bool) -> None:
        async def main() -> None:
            self.ends[which % len(self.ends)].set()
            if settle:
                await asyncio.sleep(0.001)

        self.runner.run(main())

    @precondition(lambda self: self.tasks)
    @rule(which=st.integers(0, 99))
    def go_away(self, which: int) -> None:
        async def main() -> None:
            self.tasks[which % len(self.tasks)].cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        self.runner.run(main())

    @rule(seconds=st.sampled_from([0.05, 0.3, 1.0, 6.0]))
    def time_passes(self, seconds: float) -> None:
        self.runner.run(asyncio.sleep(seconds))

    @invariant()
    def the_books_agree(self) -> None:
        async def main() -> None:
            await asyncio.sleep(0.001)
            gauges = self.admission.gauges
            alive = sum(not task.done() for task in self.tasks)
            in_engines = sum(engine.in_flight for engine in gauges.engines)
            assert gauges.held == alive == in_engines + sum(gauges.waiting.values())
            assert gauges.held <= 12
            assert gauges.oldest_wait_s <= 5.01
            for book in self.pool.open:
                assert sum(berth.running for berth in book.seats.values()) <= book.client.in_flight
            for task in self.tasks:
                assert not task.done() or task.cancelled() or task.exception() is None

        self.runner.run(main())

    def teardown(self) -> None:
        async def main() -> None:
            for end in self.ends:
                end.set()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            check_empty(self.admission)
            assert all(engine.in_flight == 0 for engine in self.admission.gauges.engines)

        self.runner.run(main())
        self.runner.close()
        assert max(self.waits, default=0.0) <= 5.01


TestClients = Clients.TestCase
TestClients.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
