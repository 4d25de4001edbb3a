"""Bounded places: of all, and of each tenant; nothing is left behind."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.server.gateway.admission.places import Places
from skillweave.server.gateway.errors import TooBusy


def test_the_house_is_full() -> None:
    places = Places(most=2, most_per_tenant=2)
    places.take("a", retry_after_s=1)
    places.take("b", retry_after_s=1)
    with pytest.raises(TooBusy, match="2 requests are in hand") as refused:
        places.take("c", retry_after_s=7.5)
    assert refused.value.retry_after_s == 7.5
    places.give_back("a")
    places.take("c", retry_after_s=1)


def test_one_tenant_cannot_take_all() -> None:
    places = Places(most=10, most_per_tenant=2)
    for _ in range(2):
        places.take("greedy", retry_after_s=1)
    with pytest.raises(TooBusy, match="2 of your requests"):
        places.take("greedy", retry_after_s=1)
    places.take("modest", retry_after_s=1)


@settings(deadline=None)
@given(st.lists(st.sampled_from("abc")))
def test_nothing_is_left_behind(tenants: list[str]) -> None:
    places, inside = Places(most=5, most_per_tenant=3), []
    for tenant in tenants:
        try:
            places.take(tenant, retry_after_s=1)
        except TooBusy:
            continue
        inside.append(tenant)
        assert places.taken == len(inside) <= 5
        assert max(map(inside.count, inside)) <= 3
    for tenant in inside:
        places.give_back(tenant)
    assert (places.taken, places.num_tenants) == (0, 0)
