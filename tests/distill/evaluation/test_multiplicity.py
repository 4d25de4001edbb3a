"""Holm's correction on numbers worked by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.distill.evaluation import EvaluationError, holm

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def test_the_smallest_is_multiplied_by_all_and_none_falls_below_a_smaller_one() -> None:
    # 3 * 0.01, 2 * 0.04, and 1 * 0.05 raised to the 0.08 before it
    got = holm({"c": 0.05, "a": 0.01, "b": 0.04})
    assert list(got) == ["c", "a", "b"]
    assert got == {"a": pytest.approx(0.03), "b": pytest.approx(0.08), "c": pytest.approx(0.08)}


def test_one_comparison_needs_no_correction_and_none_gives_none() -> None:
    assert holm({"a": 0.04}) == {"a": 0.04}
    assert holm({}) == {}


@given(SHARES)
def test_a_correction_never_makes_smaller_and_keeps_the_order(shares: list[float]) -> None:
    got = holm(dict(enumerate(shares)))
    assert all(shares[key] <= p <= 1 for key, p in got.items())
    order = sorted(range(len(shares)), key=shares.__getitem__)
    assert [got[key] for key in order] == sorted(got.values())


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_refused(p: float) -> None:
    with pytest.raises(EvaluationError, match="p-value of x"):
        holm({"x": p})
