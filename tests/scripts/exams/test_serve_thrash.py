"""The exam's part about more adapters than slots: its plan, its figures, its traffic."""

import asyncio
import itertools

import pytest
from skillweave.scripts.bench.serve_sides import upstream
from skillweave.scripts.exams.serve_thrash import joined, judged
from skillweave.scripts.exams.thrash_load import (
    Answer,
    Arrival,
    Run,
    arrivals,
    drive,
    saturate,
    texts,
    zipf,
)


def answered(first_s: float, *, status: int = 200, text: str = "x", adapter: int = 0) -> Answer:
    return Answer(Arrival(0.0, adapter, 0), status, first_s, first_s + 1, text)


def test_the_plan_is_the_same_for_every_side_and_popular_by_zipf() -> None:
    plan = arrivals(per_s=200.0, seconds=50.0, adapters=16, seed=3)
    assert plan == arrivals(per_s=200.0, seconds=50.0, adapters=16, seed=3)
    assert len(plan) == pytest.approx(10_000, rel=0.05)
    first = sum(arrival.adapter == 0 for arrival in plan) / len(plan)
    assert first == pytest.approx(1 / sum(zipf(16)), rel=0.05)
    assert all(a.at_s <= b.at_s for a, b in itertools.pairwise(plan))


def test_quantiles_are_by_the_nearest_rank_and_failures_do_not_count() -> None:
    run = Run((*(answered(n / 10) for n in range(1, 21)), answered(99.0, status=503)), wall_s=4.0)
    assert (run.ttft_s(0.5), run.ttft_s(0.95), run.ttft_s(1.0)) == (1.0, 1.9, 2.0)
    assert (run.failed, run.per_s) == (1, 5.0)


def test_rows_are_ratios_and_see_a_wrong_answer() -> None:
    ours = [Run((answered(0.1), answered(0.3)), wall_s=1.0)]
    theirs = [Run((answered(0.2), answered(0.4)), wall_s=2.0)]
    good = judged(ours, theirs, full=10.0, waited=1.5, bound_s=10.0)
    assert [round(row.value, 3) for row in good] == [0.75, 0.5, 2.0, 1.5]
    assert all(row.equal for row in good)
    wrong = [Run((answered(0.1, text="y"), answered(0.3)), wall_s=1.0)]
    assert not any(row.equal for row in judged(wrong, theirs, full=1, waited=0, bound_s=1))
    failed = [Run((answered(0.1), answered(0.3, status=429)), wall_s=1.0)]
    assert not any(row.equal for row in judged(failed, theirs, full=1, waited=0, bound_s=1))


def test_the_traffic_asks_every_request_once() -> None:
    plan = arrivals(per_s=200.0, seconds=0.2, adapters=4, seed=1)
    names = [f"skill-{n}" for n in range(4)]
    with upstream() as side:
        run = asyncio.run(drive(side.url, names, plan, key=None, tokens=3))
        work = saturate(side.url, names, clients=3, requests=20, tokens=2, seed=1)
        assert asyncio.run(work) > 0
    assert len(run.answers) == len(plan)
    assert run.failed == 0
    assert {text for said in texts([run]).values() for text in said} == {" word word word"}
    assert joined([run, run]).per_s == pytest.approx(run.per_s)
