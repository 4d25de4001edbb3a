"""The bench of training: both sides do the same work, and rows say what was measured."""

import pytest
from skillweave.scripts.bench import train, train_memory
from skillweave.scripts.bench.train_rows import draw_run

pytestmark = pytest.mark.slow


def test_both_sides_see_the_same_losses_in_every_step() -> None:
    run = draw_run(adapters=2, rank=4, sequences=2, steps=4)
    row = train.speed_row("two adapters", run, bar=1000.0, pairs=2)
    assert row.equal
    assert not row.holds
    assert row.theirs is not None
    assert 0 < float(str(row.theirs["largest_difference_of_losses"])) < 1e-3
    assert row.ours is not None
    assert (row.ours["adapters"], row.ours["steps"], row.ours["n"]) == (2, 4, 2)


def test_in_float64_losses_agree_to_the_bar() -> None:
    row = train.exact_row(draw_run(adapters=2, rank=4, sequences=2, steps=3))
    assert row.holds
    assert row.n == 6


def test_rows_are_of_held_out_skills_and_repeat() -> None:
    once, again = (draw_run(adapters=2, rank=4, sequences=2, steps=2) for _ in range(2))
    assert once.batches == again.batches
    assert once.batches[0][0] != once.batches[0][1]
    assert all(any(row.learn) for rows in once.batches[0] for row in rows)


def test_memory_is_that_of_the_steps() -> None:
    ours = train_memory.measure("ours")
    assert 1 < ours / 2**20 < 2000
