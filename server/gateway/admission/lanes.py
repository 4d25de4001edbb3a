"""What the gateway knows of one engine: who sits in its slots, what it holds in memory.

Seats are our own book-keeping and exact: they count what was handed out. What lies in slots and in
host memory without being used is a belief (last used stays longest, as in vLLM), put right by
`learn` whenever the engine was asked. Owns this book. Refuses to own decisions (`schedule.py`) and
the engine's health (`pool/`). No clock: times are handed in.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ...engines.client import EngineClient, EngineResidency
from .affinity import Nearness
from .schedule import Lane, Seat

UNLIMITED = 1 << 30
"""Slots of an engine that does not say how many it has."""
MAX_BELIEVED = 4096


@dataclass(slots=True)
class Berth:
    """A seat that changes; `Seat` is its picture."""

    since: float
    running: int = 0
    closed: bool = False
    idle_since: float = 0.0


class Book:
    """One engine.

    Args:
        slots: how many adapters fit in a batch; None where it is not known.
        host: how many fit in host memory; None where it is not known.
        takes_priority: whether requests may carry vLLM's `priority`.
    """

    def __init__(
        self,
        client: EngineClient,
        *,
        slots: int | None,
        host: int | None = None,
        takes_priority: bool = False,
    ) -> None:
        self.client = client
        self.takes_priority = takes_priority
        self.slots = UNLIMITED if slots is None else slots
        self.host = max(host or MAX_BELIEVED, self.slots if slots else 0)
        self.on_trial = False
        """One request at a time, until it is answered; see `pool/health.py`."""
        self.stale = False
        """Whether something was handed out since the engine was last asked what it holds."""
        self.seats: dict[str, Berth] = {}
        self._in_slots: dict[str, None] = {}
        self._in_host: dict[str, None] = {}

    @property
    def limited(self) -> bool:
        """Whether adapters take turns here."""
        return self.slots != UNLIMITED

    @property
    def num_running(self) -> int:
        """Adapters with a request in the engine."""
        return sum(1 for berth in self.seats.values() if berth.running)

    def has_open_seat(self, adapter: str) -> bool:
        """Whether its requests may go on coming."""
        berth = self.seats.get(adapter)
        return berth is not None and not berth.closed

    def num_requests(self, adapter: str) -> int:
        """Requests of an adapter in the engine."""
        berth = self.seats.get(adapter)
        return berth.running if berth is not None else 0

    def admits(self, adapter: str, now: float, *, linger_s: float) -> bool:
        """Whether a request may come in at once, while nobody waits."""
        if adapter in self.seats or len(self.seats) < self.slots:
            return True
        return self._idle(now, linger_s) is not None

    def join(self, adapter: str, now: float, *, linger_s: float) -> None:
        """Count a request in; takes a seat, that of an idle adapter where none is left."""
        berth = self.seats.get(adapter)
        if berth is None:
            if len(self.seats) >= self.slots and (idle := self._idle(now, linger_s)) is not None:
                del self.seats[idle]
            self.seats[adapter] = berth = Berth(now)
        elif berth.closed or (not berth.running and now - berth.idle_since > linger_s):
            berth.since, berth.closed = now, False
        berth.running += 1
        self._touch(adapter)

    def leave(self, adapter: str, now: float) -> float | None:
        """Count a request out; how long the adapter had its seat where it gives it up now."""
        berth = self.seats.get(adapter)
        if berth is None:
            return None
        berth.running -= 1
        if berth.running:
            return None
        berth.idle_since = now
        if berth.closed:
            del self.seats[adapter]
        return now - berth.since

    def vacate(self, adapter: str) -> None:
        """Take a seat away that nobody uses."""
        berth = self.seats.get(adapter)
        if berth is not None and not berth.running:
            del self.seats[adapter]

    def close(self, adapter: str) -> None:
        """Let a seat end with its running requests."""
        berth = self.seats.get(adapter)
        if berth is not None:
            berth.closed = True

    def picture(self) -> Lane:
        """For the schedule."""
        seats = tuple(
            Seat(adapter, b.since, b.running, closed=b.closed, idle_since=b.idle_since)
            for adapter, b in self.seats.items()
        )
        resident = frozenset(self._in_slots)
        return Lane(self.slots, seats, load=self.client.in_flight, resident=resident)

    def nearness(self, adapter: str) -> Nearness:
        """How near this engine is to an adapter."""
        if adapter in self._in_slots:
            return Nearness.SLOT
        if len(self._in_slots) < self.slots and self.limited:
            return Nearness.FREE_SLOT
        return Nearness.HOST if adapter in self._in_host else Nearness.NOTHING

    def learn(self, truth: EngineResidency) -> None:
        """Take over what the engine says of itself."""
        self.slots, self.host = truth.max_loras, truth.max_cpu_loras
        self.stale = False
        self._in_slots = self._corrected(self._in_slots, truth.slots)
        self._in_host = self._corrected(self._in_host, truth.host)

    @staticmethod
    def _corrected(believed: dict[str, None], true: Iterable[str]) -> dict[str, None]:
        """The true names; the order of use where it was known."""
        names = set(true)
        known = [name for name in believed if name in names]
        return dict.fromkeys([*sorted(names.difference(known)), *known])

    def _idle(self, now: float, linger_s: float) -> str | None:
        """Who has been idle longest, if it is long enough."""
        idle = [(b.idle_since, name) for name, b in self.seats.items() if not b.running]
        longest = min(idle, default=None)
        return longest[1] if longest is not None and now >= longest[0] + linger_s else None

    def _touch(self, adapter: str) -> None:
        self.stale = True
        for believed, most in ((self._in_slots, self.slots), (self._in_host, self.host)):
            believed.pop(adapter, None)
            believed[adapter] = None
            while len(believed) > min(most, MAX_BELIEVED):
                del believed[next(iter(believed))]
