"""The schedule by hand, and its laws: nobody waits beside a free slot, nobody beyond the bound."""

from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.server.gateway.admission.schedule import (
    AHEAD,
    Decision,
    Grant,
    Group,
    Lane,
    Rules,
    Seat,
    decide,
)

RULES = Rules(quantum_s=1.0, linger_s=0.1, max_wait_s=10.0)


def seat(adapter: str, since: float = 0.0, *, running: int = 1, **more: object) -> Seat:
    return Seat(adapter, since, running, **more)  # type: ignore[arg-type]


def group(adapter: str, oldest: float = 0.0, weight: float = 0.0) -> Group:
    return Group(adapter, oldest, weight)


def test_nobody_waits_nothing_happens() -> None:
    assert decide([Lane(2, (seat("a"),))], [], 5.0, RULES) == Decision()


def test_a_free_slot_goes_to_the_heaviest() -> None:
    lanes = [Lane(1)]
    groups = [group("light", oldest=1.0, weight=3.0), group("heavy", oldest=2.0, weight=9.0)]
    assert decide(lanes, groups, 2.5, RULES).grants == (Grant("heavy", 0),)


def test_within_the_quantum_others_wait_and_the_next_look_is_at_its_end() -> None:
    decision = decide([Lane(1, (seat("a", since=4.0),))], [group("b", oldest=4.2)], 4.5, RULES)
    assert decision == Decision(wake_at=5.0)


def test_after_the_quantum_the_longest_seated_makes_room() -> None:
    lanes = [Lane(2, (seat("young", since=3.0), seat("old", since=1.0)))]
    decision = decide(lanes, [group("b", oldest=3.5)], 4.5, RULES)
    assert decision.closings == ((0, "old"),)
    assert decision.grants == (Grant("b", 0),), "the engine exchanges them without a pause"


def test_who_has_just_come_does_not_push_anybody_out() -> None:
    lanes = [Lane(1, (seat("hot", since=0.0),))]
    decision = decide(lanes, [group("b", oldest=8.7)], 9.0, RULES)
    assert decision == Decision(wake_at=9.7)


def test_one_seat_is_closed_for_each_group_and_no_more() -> None:
    seats = tuple(seat(name, since=float(n)) for n, name in enumerate("abcd"))
    lanes = [Lane(4, seats)]
    decision = decide(lanes, [group("x", 8.0), group("y", 8.0)], 9.0, RULES)
    assert decision.closings == ((0, "a"), (0, "b"))
    assert decision.grants == (Grant("x", 0),), "one group ahead of the slots, no more"


def test_a_seat_that_drains_already_counts_as_room() -> None:
    lanes = [Lane(2, (seat("a", closed=True), seat("b")))]
    assert decide(lanes, [group("x", 8.0)], 9.0, RULES).closings == ()


def test_age_cuts_the_quantum_short() -> None:
    rules = Rules(quantum_s=8.0, linger_s=0.1, max_wait_s=10.0)
    lanes = [Lane(1, (seat("a", since=5.0),))]
    assert decide(lanes, [group("b", oldest=5.0)], 9.9, rules).closings == ()
    assert decide(lanes, [group("b", oldest=5.0)], 10.0, rules).closings == ((0, "a"),)


def test_the_aged_come_before_the_heavy() -> None:
    groups = [group("heavy", oldest=9.0, weight=99.0), group("aged", oldest=3.0, weight=1.0)]
    assert decide([Lane(1)], groups, 9.5, RULES).grants == (Grant("aged", 0),)


def test_at_the_longest_wait_a_group_goes_without_a_slot() -> None:
    lanes = [Lane(1, (seat("a", closed=True), seat("c", since=9.9)))]
    assert decide(lanes, [group("b", oldest=0.5)], 10.4, RULES).grants == ()
    assert decide(lanes, [group("b", oldest=0.5)], 10.5, RULES).grants == (Grant("b", 0, True),)


def test_an_idle_seat_lingers_then_goes() -> None:
    lanes = [Lane(1, (seat("a", since=4.0, running=0, idle_since=4.4),))]
    waits = decide(lanes, [group("b", oldest=4.4)], 4.45, RULES)
    assert waits.grants == ()
    assert waits.wake_at == 4.5
    goes = decide(lanes, [group("b", oldest=4.4)], 4.5, RULES)
    assert (goes.vacated, goes.grants) == (((0, "a"),), (Grant("b", 0),))


def test_an_idle_seat_does_not_linger_beyond_its_quantum() -> None:
    lanes = [Lane(1, (seat("a", since=3.4, running=0, idle_since=4.39),))]
    assert decide(lanes, [group("b", oldest=4.3)], 4.4, RULES).grants == (Grant("b", 0),)


def test_what_lies_in_a_slot_already_is_put_there() -> None:
    lanes = [Lane(3), Lane(2, resident=frozenset({"b"}))]
    assert decide(lanes, [group("b")], 0.0, RULES).grants == (Grant("b", 1),)


def test_the_emptier_engine_takes_the_rest() -> None:
    lanes = [Lane(2, (seat("a"),)), Lane(2)]
    grants = decide(lanes, [group("b", weight=2.0), group("c", weight=1.0)], 0.0, RULES).grants
    assert grants == (Grant("b", 1), Grant("c", 0))


def test_a_closed_adapter_may_come_back_only_when_nobody_is_before_it() -> None:
    lanes = [Lane(1, (seat("a", closed=True),))]
    assert decide(lanes, [group("a", weight=1.0)], 0.5, RULES).grants == (Grant("a", 0),)
    both = decide(lanes, [group("a", weight=1.0), group("b", weight=2.0)], 0.5, RULES)
    assert both.grants == (Grant("b", 0),)


NAMES = st.sampled_from("abcdefgh")
TIMES = st.floats(0.0, 20.0)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[list[Lane], list[Group], float]:
    now = draw(TIMES)
    past = st.floats(0.0, now)
    lanes = []
    for _ in range(draw(st.integers(1, 3))):
        names = draw(st.lists(NAMES, unique=True, max_size=5))
        seats = []
        for name in names:
            running = draw(st.integers(0, 3))
            closed = bool(running) and draw(st.booleans())
            since = draw(past)
            seats.append(
                Seat(name, since, running, closed=closed, idle_since=draw(st.floats(since, now)))
            )
        lanes.append(Lane(draw(st.integers(1, 4)), tuple(seats), load=draw(st.integers(0, 9))))
    open_names = {s.adapter for lane in lanes for s in lane.seats if not s.closed}
    waiting = draw(st.lists(NAMES.filter(lambda n: n not in open_names), unique=True))
    return lanes, [Group(n, draw(past), draw(TIMES)) for n in waiting], now


@settings(deadline=None)
@given(pictures())
def test_laws(picture: tuple[list[Lane], list[Group], float]) -> None:
    lanes, groups, now = picture
    decision = decide(lanes, groups, now, RULES)
    granted = [grant.adapter for grant in decision.grants]
    assert len(granted) == len(set(granted)), "a group goes to one place"
    assert set(granted) <= {group.adapter for group in groups}
    left = [group for group in groups if group.adapter not in granted]
    for number, lane in enumerate(lanes):
        gone = {adapter for at, adapter in decision.vacated if at == number}
        kept = {s.adapter for s in lane.seats} - gone
        came = {g.adapter for g in decision.grants if g.lane == number}
        free_grants = {g.adapter for g in decision.grants if g.lane == number and not g.forced}
        closed = {s.adapter for s in lane.seats if s.closed}
        closed |= {adapter for at, adapter in decision.closings if at == number}
        if free_grants - kept:
            forced = came - free_grants
            most = max(lane.slots + min(AHEAD, len(closed)), len(kept))
            assert len((kept | came) - forced) <= most
        assert not left or len(kept | came) >= lane.slots, "nobody waits beside a free slot"
        promised = {s.adapter for s in lane.seats if not s.closed} | free_grants
        before = sum(not s.closed for s in lane.seats)
        assert len(promised - gone - closed) <= max(lane.slots, before), "no slot is promised twice"
        used = {s.adapter for s in lane.seats if s.running}
        assert not gone & used, "a seat in use is not taken away"
    for waits in left:
        assert now - waits.oldest < RULES.max_wait_s, "nobody waits longer than anybody may"
    if left:
        assert decision.wake_at is not None
        assert decision.wake_at > now
