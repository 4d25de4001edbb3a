"""Which waiting adapters get a slot now, and who has to make room. Pure.

An engine computes a batch with at most as many adapters as it has slots. What is handed to it
beyond that waits inside, behind whatever keeps arriving for the adapters that are in: for ever, if
those are popular enough; and each exchange of an adapter costs time. So requests without a slot
wait in the gateway, grouped by adapter. A group that gets a slot brings all of its requests. An
adapter keeps its slot (its *seat*) for a quantum, and until another group has waited for one; then
it is closed: its running answers end, newcomers queue like everybody, and the next group is handed
over already, so that the engine exchanges them without a pause. A group that has waited for half of
the longest wait does not wait for quanta; at the longest wait it is handed over without a slot.

Owns this decision. Refuses to own clocks, requests and engines: a picture comes in, a decision
goes out (`admission.py` acts on it). Times are seconds of one monotonic clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

AGED_SHARE = 0.5
"""Share of the longest wait after which a group does not wait for quanta."""
AHEAD = 1
"""Groups that an engine is handed before the closed seats that they are to take are empty: the
engine lets them in within the step in which they become so."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of `AdmissionLimits` that the decision depends on."""

    quantum_s: float
    linger_s: float
    max_wait_s: float


@dataclass(frozen=True, slots=True)
class Seat:
    """An adapter in a slot. `running` counts its requests, `idle_since` is when the last ended.

    A closed seat takes no more requests and is gone with its last one.
    """

    adapter: str
    since: float
    running: int
    closed: bool = False
    idle_since: float = 0.0


@dataclass(frozen=True, slots=True)
class Lane:
    """One engine that takes requests. `load` is all that it computes; `resident` is what its slots
    hold for true, in use or not; taking one of those exchanges nothing."""

    slots: int
    seats: tuple[Seat, ...] = ()
    load: int = 0
    resident: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Group:
    """The requests that wait for one adapter: when the oldest came, and how much they weigh
    together (`waiting.py`)."""

    adapter: str
    oldest: float
    weight: float


@dataclass(frozen=True, slots=True)
class Grant:
    """A group may go to the lane of this number; `forced`: although no slot is free there."""

    adapter: str
    lane: int
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, in this order: give up seats that nobody uses, grant, close; seats are (lane,
    adapter). Then look again at `wake_at`, or, where it is None, at the next arrival or end."""

    vacated: tuple[tuple[int, str], ...] = ()
    grants: tuple[Grant, ...] = ()
    closings: tuple[tuple[int, str], ...] = ()
    wake_at: float | None = None


def decide(lanes: Sequence[Lane], groups: Sequence[Group], now: float, rules: Rules) -> Decision:
    """Place the waiting groups.

    Args:
        lanes: engines that take requests and have a known number of slots.
        groups: one for each adapter that is waited for and has no open seat.
    Returns:
        A group is granted wherever a slot is free or about to be; beyond that only by force.
    """
    order = _in_order(groups, now, rules)
    hurry = sum(_is_aged(group, now, rules) for group in order)
    kept, vacated = _without_idle(lanes, now, rules, hurry=hurry)
    grants, left = _place(kept, order, now, rules)
    closings = _make_room(kept, left, now, rules)
    for number, adapter in closings:
        kept[number] = _closed(kept[number], adapter)
    more, left = _place(kept, left, now, rules)
    wake = _next_look(kept, left, now, rules)
    return Decision(tuple(vacated), (*grants, *more), tuple(closings), wake)


def _place(
    kept: list[Lane], order: Sequence[Group], now: float, rules: Rules
) -> tuple[list[Grant], list[Group]]:
    """Grants, in this order, and the groups that are left; `kept` gets their seats."""
    grants: list[Grant] = []
    left: list[Group] = []
    for group in order:
        lane = _lane_for(kept, group, first=not left)
        forced = lane is None and now >= group.oldest + rules.max_wait_s and bool(kept)
        if forced:
            lane = min(range(len(kept)), key=lambda i: (len(kept[i].seats), kept[i].load, i))
        if lane is None:
            left.append(group)
            continue
        kept[lane] = _seated(kept[lane], group.adapter, now)
        grants.append(Grant(group.adapter, lane, forced=forced))
    return grants, left


def _in_order(groups: Sequence[Group], now: float, rules: Rules) -> list[Group]:
    """Aged groups by age, then the others by weight, the heaviest first."""

    def place(group: Group) -> tuple[bool, float, float, str]:
        aged = _is_aged(group, now, rules)
        return (not aged, group.oldest if aged else -group.weight, group.oldest, group.adapter)

    return sorted(groups, key=place)


def _is_aged(group: Group, now: float, rules: Rules) -> bool:
    return now >= group.oldest + AGED_SHARE * rules.max_wait_s


def _without_idle(
    lanes: Sequence[Lane], now: float, rules: Rules, *, hurry: int
) -> tuple[list[Lane], list[tuple[int, str]]]:
    """Lanes without the seats that nobody uses and that have lingered for long enough."""
    kept, gone = [], []
    for number, lane in enumerate(lanes):
        over = {seat.adapter for seat in lane.seats if _is_over(seat, now, rules, hurry > 0)}
        gone += [(number, seat.adapter) for seat in lane.seats if seat.adapter in over]
        kept.append(replace(lane, seats=tuple(s for s in lane.seats if s.adapter not in over)))
    return kept, gone


def _is_over(seat: Seat, now: float, rules: Rules, hurry: bool) -> bool:
    if seat.running:
        return False
    return hurry or seat.closed or now >= _lingers_until(seat, rules)


def _lingers_until(seat: Seat, rules: Rules) -> float:
    return min(seat.idle_since + rules.linger_s, seat.since + rules.quantum_s)


def _lane_for(lanes: Sequence[Lane], group: Group, *, first: bool) -> int | None:
    """The best lane with a free slot. `first`: no earlier group waits, so that the group's own
    closed seat may be opened again."""
    options = []
    for number, lane in enumerate(lanes):
        own = any(seat.adapter == group.adapter for seat in lane.seats)
        free = lane.slots - len(lane.seats)
        closed = sum(seat.closed for seat in lane.seats)
        if free > -min(AHEAD, closed) or (own and first and free > -closed):
            there = own or group.adapter in lane.resident
            options.append((free <= 0, not there, -free, lane.load, number))
    return min(options)[-1] if options else None


def _seated(lane: Lane, adapter: str, now: float) -> Lane:
    others = tuple(seat for seat in lane.seats if seat.adapter != adapter)
    return replace(lane, seats=(*others, Seat(adapter, since=now, running=1)), load=lane.load + 1)


def _closed(lane: Lane, adapter: str) -> Lane:
    seats = (replace(s, closed=True) if s.adapter == adapter else s for s in lane.seats)
    return replace(lane, seats=tuple(seats))


def _make_room(
    lanes: Sequence[Lane], left: Sequence[Group], now: float, rules: Rules
) -> list[tuple[int, str]]:
    """Seats to close: one for each group that has waited for a quantum and has no room to come.

    For aged groups any seat, else those whose own quantum is over; the longest seated first.
    """
    every = [(number, seat) for number, lane in enumerate(lanes) for seat in lane.seats]
    seats = sorted((e for e in every if not e[1].closed), key=lambda e: (e[1].since, e[0]))
    draining = sum(not seat.running for _, seat in every)
    draining += sum(_unclaimed(lane) for lane in lanes)
    wanted = sum(now >= group.oldest + rules.quantum_s for group in left) - draining
    aged = sum(_is_aged(group, now, rules) for group in left) - draining
    found: list[tuple[int, str]] = []
    for number, seat in seats:
        full = now >= seat.since + rules.quantum_s
        if (
            seat.running
            and seat.since < now
            and (len(found) < aged or (full and len(found) < wanted))
        ):
            found.append((number, seat.adapter))
    return found


def _unclaimed(lane: Lane) -> int:
    """Closed seats whose slots nobody has been promised yet."""
    promised = max(0, len(lane.seats) - lane.slots)
    return max(0, sum(seat.closed for seat in lane.seats) - promised)


def _next_look(
    lanes: Sequence[Lane], left: Sequence[Group], now: float, rules: Rules
) -> float | None:
    if not left:
        return None
    patience = (rules.quantum_s, AGED_SHARE * rules.max_wait_s, rules.max_wait_s)
    moments = [group.oldest + seconds for group in left for seconds in patience]
    for lane in lanes:
        for seat in lane.seats:
            if seat.running and not seat.closed:
                moments.append(seat.since + rules.quantum_s)
            elif not seat.running:
                moments.append(_lingers_until(seat, rules))
    return min((moment for moment in moments if moment > now), default=None)
