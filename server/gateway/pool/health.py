"""Whether an engine may be asked, judged from what it did lately. Pure: values in, values out.

    up --failure--> suspect --failures--> down --good check--> trial --answer--> up

A failure is a request that the engine broke off or a check that it did not pass. A suspect engine
is asked only where no other is there; one that is down is not asked at all, but checked again and
again, at growing distances; one on trial gets a single request until that is answered.
Owns these steps. Refuses to own checks and clocks (`pool.py`).
"""

from dataclasses import dataclass, replace
from enum import StrEnum

DOWN_AFTER = 3
"""Failures in a row."""
CHECK_EVERY_S = 2.0
BACKOFF_LEAST_S, BACKOFF_MOST_S = 0.25, 15.0


class Standing(StrEnum):
    """What an engine may be used for."""

    UP = "up"
    SUSPECT = "suspect"
    DOWN = "down"
    TRIAL = "trial"


class Event(StrEnum):
    """What happened: to a request, or at a check."""

    ANSWERED = "answered"
    BROKE_OFF = "broke off"
    CHECK_PASSED = "check passed"
    CHECK_FAILED = "check failed"


@dataclass(frozen=True, slots=True)
class Health:
    """`failures` counts those in a row; `next_check` is on the caller's clock, in seconds."""

    failures: int = 0
    trial: bool = False
    next_check: float = 0.0

    @property
    def standing(self) -> Standing:
        if self.trial:
            return Standing.TRIAL
        if self.failures >= DOWN_AFTER:
            return Standing.DOWN
        return Standing.SUSPECT if self.failures else Standing.UP


def step(health: Health, event: Event, now: float) -> Health:
    """The health after an event."""
    if event is Event.ANSWERED:
        return Health(next_check=now + CHECK_EVERY_S)
    if event is Event.CHECK_PASSED:
        on_trial = health.trial or health.standing is Standing.DOWN
        failures = health.failures if on_trial else 0
        return Health(failures, trial=on_trial, next_check=now + CHECK_EVERY_S)
    failures = health.failures + 1
    soon = 0.0 if event is Event.BROKE_OFF else backoff_s(failures)
    return replace(health, failures=failures, trial=False, next_check=now + soon)


def backoff_s(failures: int) -> float:
    """How long to wait before the next check: twice as long with every failure."""
    return min(BACKOFF_LEAST_S * 2.0 ** min(failures, 16), BACKOFF_MOST_S)
