"""What admission has done so far and how things are, as plain numbers for whoever shows them.

Owns counters (they only grow), the longest wait seen, and the reading of gauges from the parts.
Refuses to know any metrics library.
"""

from collections import Counter
from dataclasses import dataclass, field

from ..pool.pool import Pool
from .places import Places
from .waiting import Waiting


@dataclass
class Figures:
    """Counts since the start; seconds where the name says so."""

    admitted: int = 0
    """Requests that got an engine, at once or after a wait."""
    waited: Counter[str] = field(default_factory=Counter)
    """Requests that had to wait, by reason: `slot` (their adapter has none) or `share` (it has one,
    and as many requests there as it may while others wait)."""
    wait_s: float = 0.0
    """Sum of all waits that ended with an engine."""
    longest_wait_s: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    """By reason: `places`, `deadline` (it could not be kept), `expired` (it passed in the queue),
    `no_engine`."""
    left: int = 0
    """Requests whose client left while they waited."""
    grants: int = 0
    """Times that a waiting adapter got a seat."""
    forced: int = 0
    """Those of them without a free slot, because the longest wait was reached."""
    closings: int = 0
    """Seats whose quantum was ended for others."""
    prefetches: Counter[str] = field(default_factory=Counter)
    """Adapters that were loaded before they were asked for, by outcome: `loaded`, `failed`."""

    def admit(self, *, wait_s: float) -> None:
        """A waiting request got its engine."""
        self.admitted += 1
        self.wait_s += wait_s
        self.longest_wait_s = max(self.longest_wait_s, wait_s)


@dataclass(frozen=True)
class Gauges:
    """The state of the moment. `waiting` counts requests by reason, `waiting_adapters` what they
    wait for; `held` is all requests in hand."""

    held: int
    waiting: dict[str, int]
    waiting_adapters: int
    tenants: int
    oldest_wait_s: float
    engines: tuple["EngineGauges", ...]


@dataclass(frozen=True)
class EngineGauges:
    """One engine: `slots` None is unlimited or unknown; `standing` as in `pool/health.py`."""

    url: str
    standing: str
    draining: bool
    in_flight: int
    slots: int | None
    slots_used: int


def read_gauges(pool: Pool, waiting: Waiting, places: Places, now: float) -> Gauges:
    """Look at the parts; `now` is on the event loop's clock."""
    waiters = list(waiting)
    reasons = {"slot": 0, "share": 0}
    for waiter in waiters:
        reasons[waiter.reason] += 1
    return Gauges(
        held=places.taken,
        waiting=reasons,
        waiting_adapters=len(waiting.adapters),
        tenants=places.num_tenants,
        oldest_wait_s=max((now - waiter.came for waiter in waiters), default=0.0),
        engines=tuple(
            EngineGauges(
                url=member.client.url,
                standing=member.standing,
                draining=member.draining,
                in_flight=member.client.in_flight,
                slots=member.book.slots if member.book.limited else None,
                slots_used=member.book.num_running,
            )
            for member in pool.members
        ),
    )
