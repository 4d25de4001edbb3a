"""Fair shares by virtual finish time: what `priority` a request gets. Pure, no clock.

Start-time fair queueing: a flow is one adapter of one tenant; a request starts, in virtual time,
where the flow's last one finishes, but not before the present; it finishes `cost` later. Whoever
asks for much gets late finish times, whoever asks for little gets early ones, and nobody can be
overtaken for ever. A tenant's share is divided over the adapters that it has in hand: the cost of
its requests counts as many times. The present is the latest start among the requests that have
ended; with nothing in hand everything is forgotten.

    start = max(present, finish of the flow's last request)
    finish = start + cost * number of flows of the tenant

Owns these tags. Refuses to own queues (`waiting.py`).
Source: Goyal, Vin and Cheng, Start-time fair queueing (SIGCOMM 1996), equations 4 and 5.
Departs: the engine answers many requests at once, so that the present follows ends, not service.
"""

from collections import Counter
from dataclasses import dataclass

Flow = tuple[str, str]
MIN_COST = 1.0


@dataclass(frozen=True, slots=True)
class Tag:
    """Virtual start and finish of one request, in tokens."""

    flow: Flow
    start: float
    finish: float

    @property
    def priority(self) -> int:
        """As an engine wants it: smaller is sooner."""
        return int(self.finish)


class FairClock:
    """Hands out tags; holds a few numbers for each flow in hand."""

    def __init__(self) -> None:
        self._present = 0.0
        self._finish: dict[Flow, float] = {}
        self._in_hand: Counter[Flow] = Counter()
        self._flows: Counter[str] = Counter()

    @property
    def num_flows(self) -> int:
        """Flows that are remembered."""
        return len(self._finish)

    def enter(self, tenant: str, adapter: str, *, cost: float) -> Tag:
        """A request has come; `leave` must follow when it ends, however it ends."""
        flow = (tenant, adapter)
        self._in_hand[flow] += 1
        if self._in_hand[flow] == 1:
            self._flows[tenant] += 1
        start = max(self._present, self._finish.get(flow, 0.0))
        finish = start + max(cost, MIN_COST) * self._flows[tenant]
        self._finish[flow] = finish
        return Tag(flow, start, finish)

    def leave(self, tag: Tag, *, served: bool = True) -> None:
        """A request has ended; `served` is False where it never got to an engine."""
        flow = tag.flow
        self._in_hand[flow] -= 1
        if served:
            self._present = max(self._present, tag.start)
        if self._in_hand[flow]:
            return
        del self._in_hand[flow]
        self._flows[flow[0]] -= 1
        if not self._flows[flow[0]]:
            del self._flows[flow[0]]
        self._forget(flow)

    def _forget(self, flow: Flow) -> None:
        """Drop what the present has overtaken: a flow without debt is like a new one."""
        if not self._in_hand:
            self._present = 0.0
            self._finish.clear()
        elif self._finish[flow] <= self._present:
            del self._finish[flow]
        elif len(self._finish) > 2 * len(self._in_hand) + 64:
            self._finish = {
                f: end
                for f, end in self._finish.items()
                if f in self._in_hand or end > self._present
            }
