"""What is asked at the same time is done together.

Owns the queue between asynchronous callers and a function that works on batches in a thread.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast

Job = TypeVar("Job")
Done = TypeVar("Done")


class Batcher(Generic[Job, Done]):
    """Collects jobs while a batch runs, and runs them as the next one.

    Args:
        work: does a batch; one result a job, in order. It runs in a thread, one batch at a time.
        most: jobs of one batch.
    """

    def __init__(self, work: Callable[[Sequence[Job]], Sequence[Done]], *, most: int) -> None:
        self._work = work
        self._most = most
        self._waiting: list[tuple[Job, asyncio.Future[Done]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, job: Job) -> Done:
        """Do one job, together with what others ask now.

        Raises:
            Exception: whatever `work` raised for the batch.
        """
        future: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # whoever asks in this round of the loop comes along
            batch = self._take()
            if not batch:
                continue
            loop = asyncio.get_running_loop()
            work = loop.run_in_executor(None, self._work, [job for job, _ in batch])
            await asyncio.wait([work])
            _hand_out(work, [future for _, future in batch])

    def _take(self) -> list[tuple[Job, "asyncio.Future[Done]"]]:
        wanted = [entry for entry in self._waiting if not entry[1].done()]
        self._waiting = wanted[self._most :]
        return wanted[: self._most]


def _hand_out(
    work: "asyncio.Future[Sequence[Done]]", futures: Sequence["asyncio.Future[Done]"]
) -> None:
    """Results to those who still wait; a failure goes to each of them, as if he had called."""
    failure = work.exception()
    results: Sequence[Done | None] = [None] * len(futures) if failure else work.result()
    if len(results) != len(futures):  # nobody may be left waiting for ever
        failure = RuntimeError(f"a batch of {len(futures)} jobs gave {len(results)} results")
        results = [None] * len(futures)
    for future, result in zip(futures, results, strict=True):
        if future.done():
            continue
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(cast(Done, result))
