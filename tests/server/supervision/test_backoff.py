"""Waits before a restart, worked out by hand."""

import pytest
from skillweave.server.supervision.backoff import Backoff

RULE = Backoff(first_s=0.5, longest_s=30.0, steady_s=5.0, jitter=0.25)


@pytest.mark.parametrize(
    ("failures", "chance", "wait_s"),
    [
        (0, 0.9, 0.0),
        (1, 0.5, 0.5),
        (2, 0.5, 1.0),
        (3, 0.5, 2.0),
        (6, 0.5, 16.0),
        (7, 0.5, 30.0),  # 32 is above the longest
        (1_000_000, 0.5, 30.0),
        (3, 0.0, 1.5),  # a quarter less
        (3, 0.75, 2.25),  # 2 * (1 + 0.25 * 0.5)
        (7, 0.0, 22.5),
    ],
)
def test_waits(failures: int, chance: float, wait_s: float) -> None:
    assert RULE.wait_s(failures, chance=chance) == pytest.approx(wait_s)


def test_a_steady_life_forgets_the_failures_before_it() -> None:
    lives = [0.0, 1.0, 4.9, 5.0, 0.1]  # seconds of being ready
    failures, seen = 0, []
    for ready_s in lives:
        failures = RULE.failures_after(failures, ready_s=ready_s)
        seen.append(failures)
    assert seen == [1, 2, 3, 0, 1]
