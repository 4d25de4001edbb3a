"""How fast the server gets on with its work: a guess at waits that have not happened yet. Pure.

Owns two running means. Refuses to own clocks; a guess without any measurement is 0 (no wait).
"""

SHARE = 0.1
"""Weight of the newest measurement."""
RETRY_LEAST_S, RETRY_MOST_S = 1.0, 60.0
ROOM = 0.05
"""Share of the requests in hand that should have ended when a refused client asks again."""


class Pace:
    """Running means of the time between two ends, and of how long an adapter keeps its slot."""

    def __init__(self) -> None:
        self._last_end: float | None = None
        self.between_ends_s = 0.0
        self.tenure_s = 0.0

    def ended(self, now: float) -> None:
        """A request has ended."""
        if self._last_end is not None:
            self.between_ends_s += SHARE * (now - self._last_end - self.between_ends_s)
        self._last_end = now

    def seat_given_up(self, *, after_s: float) -> None:
        """An adapter has left its slot."""
        first = self.tenure_s == 0.0
        self.tenure_s += (1.0 if first else SHARE) * (after_s - self.tenure_s)

    def retry_after_s(self, held: int) -> float:
        """When a client that was refused may ask again."""
        wait = ROOM * held * self.between_ends_s
        return min(max(wait, RETRY_LEAST_S), RETRY_MOST_S)

    def expected_wait_s(self, *, adapters_ahead: int, slots: int) -> float:
        """How long a newcomer will wait for a slot."""
        return self.tenure_s * (1 + adapters_ahead) / slots if slots else 0.0
