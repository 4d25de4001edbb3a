"""The ring of traffic, with a clock of its own."""

from typing import Any

import pytest
from skillweave.server.gateway.ui.recent import MAX_ADAPTERS, NUM_STEPS, Happened, Recent


def happened(adapter: str = "sql", *, ok: bool = True, duration_s: float = 0.1) -> Happened:
    return Happened(adapter, ok, duration_s, None, 3, 5)


def test_steps_are_oldest_first_and_end_with_the_last_whole_one() -> None:
    ring = Recent()
    ring.note(1000.5, happened())
    ring.note(1003.0, happened(ok=False))
    steps = ring.document(1004.1)["steps"]
    assert isinstance(steps, list)
    assert len(steps) == NUM_STEPS
    assert [(s["requests"], s["failed"], s["completion_tokens"]) for s in steps[-2:]] == [
        (1, 0, 5),
        (1, 1, 5),
    ]
    assert steps[0]["p50_ms"] is None


def test_what_is_older_than_the_window_is_gone() -> None:
    ring = Recent()
    ring.note(0.0, happened())
    ring.note(2.0 * NUM_STEPS + 100, happened("csv"))
    document: Any = ring.document(2.0 * NUM_STEPS + 101)
    assert [one["adapter"] for one in document["adapters"]] == ["csv"]


def test_quantiles_are_right_within_four_percent() -> None:
    ring = Recent()
    for tenth in range(1, 101):
        ring.note(10.0, happened(duration_s=tenth / 100))
    document: Any = ring.document(11.0)
    (sums,) = document["adapters"]
    assert sums["p50_ms"] == pytest.approx(500, rel=0.04)
    assert sums["p95_ms"] == pytest.approx(950, rel=0.04)
    assert sums["ttft_p50_ms"] is None


def test_adapters_are_bounded_and_the_busiest_comes_first() -> None:
    ring = Recent()
    for number in range(3 * MAX_ADAPTERS):
        ring.note(10.0, happened(f"skill-{number}"))
    ring.note(10.0, happened("skill-7"))
    document: Any = ring.document(10.0)
    found = [one["adapter"] for one in document["adapters"]]
    assert found[:2] == ["other", "skill-7"]
    assert len(found) == MAX_ADAPTERS + 1


def test_sums_of_the_window_are_those_of_its_steps() -> None:
    """Whatever came and went: what is left of the sums is what the window holds."""
    ring = Recent()
    for second in range(0, 1200, 1):
        ring.note(float(second), happened(f"skill-{second % 7}", duration_s=0.001 * (second + 1)))
    document: Any = ring.document(1199.0)
    window = [s for s in range(1200) if s // 2 >= 599 - NUM_STEPS]
    assert sum(one["requests"] for one in document["adapters"]) == len(window)
    for one in document["adapters"]:
        mine = [s for s in window if f"skill-{s % 7}" == one["adapter"]]
        assert one["requests"] == len(mine)
        assert one["p50_ms"] == pytest.approx(mine[len(mine) // 2] + 1, rel=0.08)
    assert ring.document(10_000.0)["adapters"] == []
