"""Medians, pairs and the order of the two sides."""

from skillweave.scripts.bench.timing import Ratio, Timing, interleaved, per_call, timed


def test_a_ratio_is_taken_pair_by_pair() -> None:
    ratio = Ratio(Timing((1.0, 2.0, 4.0)), Timing((10.0, 10.0, 80.0)))
    assert ratio.pairs == (10.0, 5.0, 20.0)
    assert ratio.median == 10.0
    assert ratio.interval == (5.0, 20.0)


def test_the_95th_percentile_is_a_value_that_was_seen() -> None:
    assert Timing(tuple(float(i) for i in range(1, 21))).p95_s == 19.0
    assert Timing((3.0,)).p95_s == 3.0


def test_both_sides_run_in_turn_and_the_warm_up_is_not_counted() -> None:
    calls: list[str] = []
    ratio = interleaved(lambda: calls.append("a"), lambda: calls.append("b"), pairs=2, warmup=1)
    assert "".join(calls) == "ababab"
    assert len(ratio.pairs) == 2


def test_every_repeat_is_counted() -> None:
    calls: list[int] = []
    assert len(timed(lambda: calls.append(1), repeats=3, warmup=2).seconds) == 3
    assert len(calls) == 5
    assert len(per_call(lambda: calls.append(1), repeats=2, calls=10, warmup=0).seconds) == 2
    assert len(calls) == 25
