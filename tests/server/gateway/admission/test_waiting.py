"""Who waits: orders inside a group, weights of groups by hand, and leaving without a trace."""

import asyncio
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.server.gateway.admission.waiting import Waiter, Waiting

NUMBERS = count()


def waiter(adapter: str, tenant: str = "t", *, came: float = 0.0, finish: float = 0.0) -> Waiter:
    future: asyncio.Future[object] = asyncio.Future(loop=LOOP)
    return Waiter(adapter, tenant, came, next(NUMBERS), finish, "slot", future)


LOOP = asyncio.new_event_loop()
LOOP.close()


def weights(waiting: Waiting, now: float) -> dict[str, float]:
    return {group.adapter: group.weight for group in waiting.groups(now)}


def test_inside_a_group_the_earliest_finish_is_first_and_the_longest_wait_is_known() -> None:
    waiting = Waiting()
    old, soon = waiter("a", came=1.0, finish=9.0), waiter("a", came=2.0, finish=3.0)
    waiting.add(old)
    waiting.add(soon)
    assert (waiting.first("a"), waiting.oldest("a")) == (soon, old)


def test_a_group_weighs_as_much_as_its_requests_have_waited() -> None:
    waiting = Waiting()
    for came in (1.0, 3.0):
        waiting.add(waiter("many", came=came))
    waiting.add(waiter("one", came=2.0))
    assert weights(waiting, 5.0) == {"many": (4.0 + 2.0) / 3, "one": 3.0 / 3}


def test_a_tenant_gains_nothing_by_asking_often() -> None:
    waiting = Waiting()
    for _ in range(100):
        waiting.add(waiter("flooded", "greedy", came=0.0))
    waiting.add(waiter("asked", "modest", came=0.0))
    assert weights(waiting, 2.0) == {"flooded": 2.0, "asked": 2.0}


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("tu"), st.floats(0, 9))))
def test_who_leaves_is_forgotten(asked: list[tuple[str, str, float]]) -> None:
    waiting = Waiting()
    inside = [waiter(name, tenant, came=came, finish=came) for name, tenant, came in asked]
    for one in inside:
        waiting.add(one)
    for one in inside[::2]:
        waiting.remove(one)
        waiting.remove(one)
    left = inside[1::2]
    assert waiting.num_requests == len(left)
    assert list(waiting.adapters) == sorted(
        {one.adapter for one in left}, key=waiting.adapters.index
    )
    assert sum(weights(waiting, 10.0).values()) >= 0
    for one in left:
        waiting.remove(one)
    assert not waiting
    assert waiting.groups(10.0) == []
