"""The record of one child's lives: how often it was started again, and how long it was away.

Owns the clock beside the pure rule of `backoff.py`. Refuses to start anything (`guards.py`).
"""

import random
import time

from .backoff import Backoff


class Restarts:
    """Counts the ends of one child; `count` are its restarts since the server was started.

    `recovery_s` is the time from its last end until it answered again; None before the first.
    """

    def __init__(self, *, rule: Backoff) -> None:
        self._rule = rule
        self._failures = 0
        self._ready_at: float | None = None
        self._ended_at: float | None = None
        self.count = 0
        self.recovery_s: float | None = None

    def ready(self) -> float | None:
        """It answers; returns the seconds that it was away, None for the first time."""
        self._ready_at = time.monotonic()
        if self._ended_at is None:
            return None
        self.recovery_s = round(self._ready_at - self._ended_at, 3)
        self._ended_at = None
        return self.recovery_s

    def ended(self) -> float:
        """It has ended, or could not be started; returns the seconds to wait before the next."""
        now = time.monotonic()
        self._ended_at = self._ended_at or now
        ready_s = 0.0 if self._ready_at is None else now - self._ready_at
        self._ready_at = None
        self.count += 1
        self._failures = self._rule.failures_after(self._failures, ready_s=ready_s)
        return self._rule.wait_s(self._failures, chance=random.random())
