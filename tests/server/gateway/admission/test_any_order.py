"""Clients in any order, by law: the books of admission agree after every step."""

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from skillweave.server.gateway.admission.admission import Admission, Wanted
from skillweave.server.gateway.errors import DeadlinePassed, TooBusy

from .scene import check_empty, limits, now, wanted
from .virtual import JumpingLoop, StillPool


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
