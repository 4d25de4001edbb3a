"""More adapters than slots, on an imitation of vLLM's turns: swaps are counted, waits compared."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from skillweave.server.admission_settings import AdmissionLimits
from skillweave.server.engines.fake_slots import FakeSlots
from skillweave.server.gateway.admission.admission import Admission, Wanted
from skillweave.server.gateway.admission.schedule import AHEAD

from .virtual import StillPool, run_virtually

ANSWER_S = 0.05
Ask = Callable[[str], Awaitable[None]]


class Side:
    """An engine with few slots, asked directly or through admission; waits until the first word."""

    def __init__(self, *, slots: int, ours: bool, **limits: float) -> None:
        self.engine = FakeSlots(max_loras=slots, max_cpu_loras=2 * slots)
        self.waits: dict[str, list[float]] = {}
        self.admission = None
        if ours:
            fields = AdmissionLimits.model_validate(limits)
            self.admission = Admission(StillPool((slots,)), fields)  # type: ignore[arg-type]

    async def ask(self, name: str) -> None:
        came = asyncio.get_running_loop().time()
        if self.admission is None:
            await self._answer(name, came, 0)
            return
        async with self.admission.enter(Wanted(name, "t", 10)) as ticket:
            await self._answer(name, came, ticket.priority or 0)

    async def _answer(self, name: str, came: float, priority: int) -> None:
        async with self.engine.hold(name, priority=priority):
            self.waits.setdefault(name, []).append(asyncio.get_running_loop().time() - came)
            await asyncio.sleep(ANSWER_S)


async def one_after_another(side: Side, *, clients: int, seconds: float) -> None:
    """Each client has an adapter of its own and asks again as soon as it is answered."""

    async def client(number: int) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            await side.ask(f"skill-{number}")
            await asyncio.sleep(0.002)

    await asyncio.gather(*map(client, range(clients)))


async def hot_and_cold(side: Side, *, seconds: float) -> None:
    """Two adapters are asked for all the time, four now and then; nobody waits for an answer."""
    chance, asks, loop = random.Random(0), [], asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:
        await asyncio.sleep(chance.expovariate(300.0))
        names = [f"hot-{chance.randrange(2)}"] * 9 + [f"cold-{chance.randrange(4)}"]
        asks.append(asyncio.ensure_future(side.ask(chance.choice(names))))
    await asyncio.gather(*asks)


def test_adapters_that_take_turns_are_exchanged_by_the_quantum_and_not_by_the_request() -> None:
    def run(side: Side) -> tuple[int, int]:
        run_virtually(one_after_another(side, clients=6, seconds=10.0))
        return side.engine.swaps, sum(map(len, side.waits.values()))

    swaps, answers = run(Side(slots=2, ours=False))
    assert swaps == answers, "left alone, every request takes a slot away from the next one"
    our_swaps, our_answers = run(Side(slots=2, ours=True, quantum_s=0.5, linger_s=0.005))
    assert our_answers >= 0.9 * answers
    assert our_swaps <= 0.2 * swaps
    assert our_swaps >= 6, "everybody had a turn"


def test_rare_adapters_are_not_starved_by_popular_ones() -> None:
    def longest(side: Side, kind: str) -> float:
        run_virtually(hot_and_cold(side, seconds=4.0))
        return max(wait for name, waits in side.waits.items() if kind in name for wait in waits)

    assert longest(Side(slots=2, ours=False), "cold") > 2.0, "vLLM lets in whoever fits"
    ours = Side(slots=2, ours=True, quantum_s=0.3, max_wait_s=1.5)
    assert longest(ours, "") <= 1.5 + 2 * ANSWER_S
    assert ours.admission is not None
    assert ours.admission.figures.forced == 0, "by turns, and not by force"


def test_an_engine_is_given_one_adapter_more_than_it_has_slots_at_most() -> None:
    side = Side(slots=3, ours=True, quantum_s=0.3)
    most = 0

    async def look() -> None:
        nonlocal most
        for _ in range(600):
            most = max(most, len(side.engine.running) + len(side.engine.waiting_names))
            await asyncio.sleep(0.005)

    async def main() -> None:
        await asyncio.gather(look(), hot_and_cold(side, seconds=3.0))

    run_virtually(main())
    assert 3 <= most <= 3 + AHEAD


def test_a_single_client_is_not_slowed_down_by_turns() -> None:
    async def main(side: Side) -> float:
        for number in range(50):
            await side.ask(f"skill-{number % 7}")
        return asyncio.get_running_loop().time()

    direct = run_virtually(main(Side(slots=2, ours=False)))
    assert run_virtually(main(Side(slots=2, ours=True))) == direct
