"""`skillweave bench train`: many adapters in one step against PEFT's runs, on the shipped base.

Owns the rows. Refuses to own the data (`train_rows.py`), PEFT's side (`peft_train.py`) and what is
measured in processes of their own (`train_memory.py`). Both sides get the same rows, first weights,
rates, norm bounds and PyTorch's fused AdamW, on one thread. They run in turn, some steps of one and
the same steps of the other; a ratio is taken for each such pair.
"""

import gc
from collections.abc import Callable, Sequence
from functools import partial

import torch

from ...distill.learning.joint import JointLora
from ...distill.learning.sft import load_base
from ...distill.rendering import TokenRow
from ...distill.tiny_base import tiny_base_path
from .pairs import versions
from .peft_train import PeftRun
from .rows import Row
from .timing import Ratio, interleaved
from .train_memory import memory_row
from .train_rows import Run, draw_run, in_float64

PAIRS = 5
STEPS = 50
STEPS_OF_32 = 10
BAR = 2.5
BAR_OF_32 = 4.0
CLOSE = 1e-3
CLOSE_FLOAT64 = 1e-8


def run() -> list[Row]:
    """All rows; some six minutes on a quiet machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        eight = draw_run(adapters=8, rank=8, sequences=4, steps=STEPS)
        few = draw_run(adapters=8, rank=8, sequences=4, steps=2 * PAIRS)
        small = draw_run(adapters=32, rank=4, sequences=1, steps=STEPS_OF_32)
        same = draw_run(adapters=32, rank=4, sequences=4, steps=PAIRS)
        return [
            speed_row("8 adapters jointly", eight, bar=BAR),
            exact_row(few),
            batch_row(few),
            speed_row("32 small adapters (rank 4, one sequence each a step) jointly", small,
                      bar=BAR_OF_32),
            speed_row("32 adapters of rank 4, four sequences each a step, jointly", same),
            memory_row(),
        ]  # fmt: skip
    finally:
        torch.set_num_threads(threads)


class Sides:
    """Both sides of one run, each at its own step; losses by step, by adapter."""

    def __init__(self, run: Run, *, dtype: torch.dtype = torch.float32) -> None:
        prepare = in_float64 if dtype == torch.float64 else None
        base = load_base(tiny_base_path(), dtype=dtype).requires_grad_(False)
        if prepare is not None:
            prepare(base)
        self.joint = JointLora(base, run.specs)
        self.peft = [
            PeftRun(spec, self.joint.delta(spec.name), dtype=dtype, prepare=prepare)
            for spec in run.specs
        ]
        self.batches = run.batches
        self.ours: list[Sequence[float | None]] = []
        self.theirs: list[list[float]] = [[] for _ in run.specs]

    def step_ours(self, num: int) -> None:
        """The next steps, all adapters at once."""
        for batch in self.batches[len(self.ours) : len(self.ours) + num]:
            self.ours.append(self.joint.step(batch))

    def step_theirs(self, num: int) -> None:
        """The same steps: one run after the other."""
        for index, (peft, losses) in enumerate(zip(self.peft, self.theirs, strict=True)):
            for batch in self.batches[len(losses) : len(losses) + num]:
                losses.append(peft.step(batch[index]))

    @property
    def apart(self) -> float:
        """The largest difference of two losses of one adapter and step."""
        both = zip(self.ours, zip(*self.theirs, strict=True), strict=True)
        return max(_apart(ours, theirs) for ours, theirs in both)


def _apart(ours: Sequence[float | None], theirs: Sequence[float]) -> float:
    pairs = zip(ours, theirs, strict=True)
    return max(float("inf") if mine is None else abs(mine - other) for mine, other in pairs)


def speed_row(figure: str, run: Run, *, bar: float | None = None, pairs: int = PAIRS) -> Row:
    """Steps of all adapters against the same steps of PEFT's runs in turn."""
    sides, steps = Sides(run), len(run.batches) // pairs
    ratio = _in_turn(
        partial(sides.step_ours, steps), partial(sides.step_theirs, steps), pairs=pairs
    )
    return Row(
        figure=f"{figure}: time of PEFT's runs in turn / ours",
        value=ratio.median,
        n=pairs,
        op=None if bar is None else ">=",
        bar=bar,
        equal=sides.apart <= CLOSE,
        ours={**run.shape, **ratio.ours.document(), "interval": list(ratio.interval)},
        theirs={**ratio.theirs.document(), "largest_difference_of_losses": sides.apart},
        versions=versions(),
    )


def exact_row(run: Run) -> Row:
    """Both sides in float64, norms included: how far the losses of an adapter are apart."""
    sides = Sides(run, dtype=torch.float64)
    sides.step_ours(len(run.batches))
    sides.step_theirs(len(run.batches))
    return Row(
        figure="8 adapters jointly: largest difference of a loss from PEFT's run alone, float64",
        value=sides.apart,
        n=len(run.batches) * len(run.specs),
        op="<=",
        bar=CLOSE_FLOAT64,
        ours=run.shape,
        versions=versions(),
    )


def batch_row(run: Run) -> Row:
    """PEFT at the joint batch size: one adapter, all rows; what batching alone gives PEFT."""
    sides, steps = Sides(run), len(run.batches) // PAIRS
    peft, whole = sides.peft[0], [_joined(batch) for batch in run.batches]
    at = iter(range(len(whole)))

    def theirs() -> None:
        for _ in range(steps):
            peft.step(whole[next(at)])

    ratio = _in_turn(partial(sides.step_ours, steps), theirs, pairs=PAIRS)
    return Row(
        figure="8 adapters jointly: time of one PEFT run at the joint batch size / ours",
        value=ratio.median,
        n=PAIRS,
        ours={**ratio.ours.document(), "interval": list(ratio.interval)},
        theirs=ratio.theirs.document(),
        versions=versions(),
    )


def _joined(batch: Sequence[Sequence[TokenRow]]) -> list[TokenRow]:
    return [row for rows in batch for row in rows]


def _in_turn(ours: Callable[[], None], theirs: Callable[[], None], *, pairs: int) -> Ratio:
    """No warm-up pair: every step trains, and the interval shows what the first pair costs."""
    gc.collect()
    return interleaved(ours, theirs, pairs=pairs, warmup=0)
