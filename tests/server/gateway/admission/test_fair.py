"""Fair shares: by hand, and as a law about who is served when everybody asks at once."""

from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.server.gateway.admission.fair import FairClock, Tag


def test_one_flow_is_served_in_order() -> None:
    clock = FairClock()
    tags = [clock.enter("t", "a", cost=10) for _ in range(3)]
    assert [(tag.start, tag.finish) for tag in tags] == [(0, 10), (10, 20), (20, 30)]
    assert [tag.priority for tag in tags] == [10, 20, 30]


def test_a_newcomer_is_not_behind_what_another_has_piled_up() -> None:
    clock = FairClock()
    pile = [clock.enter("greedy", "a", cost=10) for _ in range(100)]
    assert clock.enter("modest", "a", cost=10).finish == pile[0].finish


def test_a_newcomer_starts_in_the_present_and_gets_no_credit_for_the_past() -> None:
    clock = FairClock()
    tags = [clock.enter("greedy", "a", cost=10) for _ in range(10)]
    for tag in tags[:5]:
        clock.leave(tag)
    assert clock.enter("modest", "a", cost=10).start == tags[4].start


def test_many_adapters_do_not_make_a_larger_share() -> None:
    clock = FairClock()
    for name in "abcd":
        clock.enter("many", name, cost=10)
    wide = [clock.enter("many", name, cost=10).finish for name in "abcd"]
    narrow = [clock.enter("one", "a", cost=10).finish for _ in range(2)]
    assert all(finish >= 50 for finish in wide)
    assert narrow == [10, 20]


def test_what_ends_without_an_engine_does_not_move_the_present() -> None:
    clock = FairClock()
    first, second = (clock.enter("t", "a", cost=10) for _ in range(2))
    clock.leave(second, served=False)
    assert clock.enter("u", "a", cost=10).start == 0
    clock.leave(first)


def test_with_nothing_in_hand_all_is_forgotten() -> None:
    clock = FairClock()
    tags = [clock.enter(f"t{n}", "a", cost=5) for n in range(50)]
    for tag in tags:
        clock.leave(tag)
    assert clock.num_flows == 0
    assert clock.enter("t", "a", cost=1).finish == 1


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 50)), max_size=60))
def test_backlogged_tenants_get_equal_service(asked: list[tuple[str, int]]) -> None:
    # all ask at once and are served by priority: before any request of X, every other tenant has
    # had no more than X has had, plus one request of its own
    clock = FairClock()
    tags: list[tuple[Tag, int]] = [
        (clock.enter(tenant, "one", cost=cost), cost) for tenant, cost in asked
    ]
    had = dict.fromkeys("abc", 0)
    largest = max((cost for _, cost in asked), default=0)
    left = [tag.flow[0] for tag, _ in tags]
    for tag, cost in sorted(tags, key=lambda pair: pair[0].finish):
        tenant = tag.flow[0]
        had[tenant] += cost
        left.remove(tenant)
        backlogged = [had[other] for other in set(left)]
        assert all(had[tenant] - other <= 2 * largest for other in backlogged)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.booleans())))
def test_flows_are_forgotten_with_their_last_request(steps: list[tuple[str, str, bool]]) -> None:
    clock, held = FairClock(), []
    for tenant, adapter, ends in steps:
        held.append(clock.enter(tenant, adapter, cost=3))
        if ends:
            clock.leave(held.pop(0))
    assert clock.num_flows <= 2 * len(held) + 64
    for tag in held:
        clock.leave(tag)
    assert clock.num_flows == 0
