"""Who cannot be taken, cannot be served in time, or leaves: told at once, and nothing is left."""

import asyncio

import pytest
from skillweave.server.gateway.errors import DeadlinePassed, TooBusy

from .scene import Log, check_empty, make, now, wanted
from .virtual import run_virtually


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
