"""The shared adapter trains in a process of its own, while the skills' adapters train beside it.

Owns that process: it ends with the block, whatever happens in it, and an interrupt is for the
parent to handle.
"""

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from ...adapters import Store, Version
from ...adapters.errors import SkillweaveError
from ..learning.sft import SftResult
from ..skill_training import Lesson, SkillTraining, train_shared
from ..workbench import Workbench

SHARED = "shared-demo"
Trained = tuple[Version, SftResult]


@dataclass(frozen=True)
class Order:
    """What the process is told; everything in it can be pickled."""

    base: Path
    store: Path
    lessons: tuple[Lesson, ...]
    config: SkillTraining
    recipe: str
    seed: int


class SharedTrainingFailed(SkillweaveError, RuntimeError):
    """The process that trains the shared adapter ended without one."""


def widened(config: SkillTraining, num_skills: int) -> SkillTraining:
    """The same settings with the rank of all skills' adapters together, at the same scale."""
    wide = {"rank": config.sft.rank * num_skills, "alpha": config.sft.alpha * num_skills}
    return config.model_copy(update={"sft": config.sft.model_copy(update=wide)})


@contextlib.contextmanager
def training_beside(order: Order) -> Iterator[Callable[[], Trained]]:
    """Start the process; calling what is yielded waits for its adapter.

    Raises:
        SharedTrainingFailed: by the call, when the process ended without an adapter.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(order, theirs), daemon=True)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited, also while it imports
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, before)
    theirs.close()

    def finished() -> Trained:
        try:
            trained: Trained = ours.recv()
        except EOFError:
            process.join()
            raise SharedTrainingFailed(
                f"the process that trains {SHARED!r} ended with status {process.exitcode} and no "
                "adapter; its last words are above"
            ) from None
        process.join()  # it tidies up by itself; ended from here it would leave semaphores
        return trained

    try:
        yield finished
    finally:
        process.terminate()
        process.join()
        ours.close()


def _work(order: Order, answer: Connection) -> None:
    signal.signal(signal.SIGTERM, _end)  # unlike the default, this leaves no semaphores behind
    torch.set_num_threads(1)
    bench = Workbench(order.base, Store(order.store))
    trained = train_shared(
        order.lessons, order.config, bench, name=SHARED, recipe=order.recipe, seed=order.seed
    )
    answer.send(trained)


def _end(number: int, frame: object) -> None:
    raise SystemExit(128 + number)
