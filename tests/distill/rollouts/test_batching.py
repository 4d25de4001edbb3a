"""Jobs that are asked together are done together, in order, and fail together."""

import asyncio
from collections.abc import Sequence

import pytest
from skillweave.distill.rollouts.batching import Batcher


def test_what_is_asked_at_once_is_one_batch_up_to_its_bound() -> None:
    seen: list[list[int]] = []

    def work(jobs: Sequence[int]) -> list[int]:
        seen.append(list(jobs))
        return [job * job for job in jobs]

    async def go() -> list[int]:
        batcher = Batcher(work, most=4)
        return await asyncio.gather(*(batcher.ask(job) for job in range(10)))

    assert asyncio.run(go()) == [job * job for job in range(10)]
    assert seen == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_failure_reaches_everybody_of_its_batch_and_nobody_else() -> None:
    def work(jobs: Sequence[int]) -> list[int]:
        if 1 in jobs:
            raise RuntimeError("broken")
        return list(jobs)

    async def go() -> list[int | BaseException]:
        batcher = Batcher(work, most=2)
        return await asyncio.gather(*map(batcher.ask, range(4)), return_exceptions=True)

    first, second, third, fourth = asyncio.run(go())
    assert isinstance(first, RuntimeError)
    assert isinstance(second, RuntimeError)
    assert (third, fourth) == (2, 3)


def test_who_gave_up_is_not_served_and_a_new_loop_begins_afresh() -> None:
    seen: list[int] = []

    def work(jobs: Sequence[int]) -> list[int]:
        seen.extend(jobs)
        return list(jobs)

    batcher = Batcher(work, most=8)

    async def give_up() -> None:
        asked = asyncio.create_task(batcher.ask(1))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    async def again() -> int:
        return await batcher.ask(2)

    asyncio.run(give_up())
    assert asyncio.run(again()) == 2
    assert seen == [2]


def test_work_that_loses_a_job_fails_and_leaves_nobody_waiting() -> None:
    async def go() -> list[int]:
        batcher = Batcher(lambda jobs: list(jobs)[1:], most=4)
        return await asyncio.wait_for(asyncio.gather(*map(batcher.ask, range(3))), 5)

    with pytest.raises(RuntimeError, match="3 jobs gave 2 results"):
        asyncio.run(go())
