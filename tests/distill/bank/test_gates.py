"""Every gate on results small enough to judge by hand."""

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.distill.bank import (
    AllOf,
    DeltaPassRate,
    FrontierTopK,
    NoRegression,
    StrictImprove,
)

from .samples import results

UP = results(*[("x", 0, 1)] * 6, *[("y", 0, 0)] * 6)
MIXED = results(*[("x", 0, 1)] * 6, *[("y", 1, 0)] * 2, *[("y", 1, 1)] * 8)
FLAT = results(("x", 1, 1), ("y", 0, 0))


def test_delta_pass_rate_asks_for_more_than_tau() -> None:
    assert DeltaPassRate(tau=0.4).judge(UP).passed
    assert not DeltaPassRate(tau=0.5).judge(UP).passed


def test_a_sure_delta_pass_rate_asks_the_interval() -> None:
    all_up = results(*[(f, 0, 1) for f in "abcdef"])
    assert DeltaPassRate(tau=0.1, sure=True).judge(all_up).passed
    told = DeltaPassRate(tau=0.1, sure=True).judge(UP)
    assert not told.passed
    assert told.delta == 0.5
    assert told.low <= 0.1


def test_strict_improve_takes_the_smallest_gain_and_no_tie() -> None:
    assert StrictImprove().judge(results(("x", 0.5, 0.501), ("x", 0, 0))).passed
    assert not StrictImprove().judge(FLAT).passed


def test_the_same_rewards_in_another_order_are_no_gain() -> None:
    """Summed in order, 0.1 + 0.2 + 0.3 is more than 0.3 + 0.2 + 0.1."""
    turned = results(("x", 0.3, 0.1), ("x", 0.2, 0.2), ("x", 0.1, 0.3))
    assert turned.reference_mean == turned.candidate_mean
    assert not StrictImprove().judge(turned).passed


def test_no_regression_looks_at_every_family_and_at_all() -> None:
    told = NoRegression().judge(MIXED)
    assert MIXED.delta == 0.25
    assert not told.passed
    assert "'y' changes by -0.200" in told.reason
    assert NoRegression(tolerance=0.2).judge(MIXED).passed
    assert NoRegression().judge(FLAT).passed


def test_the_frontier_fills_then_asks_for_more_than_its_weakest() -> None:
    frontier = FrontierTopK(k=2).admit("a", 0.5).admit("b", 0.7)
    assert frontier.members == (("b", 0.7), ("a", 0.5))
    assert not frontier.judge(UP).passed  # its mean is 0.5, no more than the weakest
    assert frontier.admit("c", 0.6).members == (("b", 0.7), ("c", 0.6))
    with pytest.raises(UsageError, match="does not enter"):
        frontier.admit("d", 0.5)
    with pytest.raises(UsageError, match="does not enter"):
        frontier.admit("b", 0.9)
    with pytest.raises(UsageError, match="at least 1"):
        FrontierTopK(k=0)


def test_all_of_lets_the_first_objector_speak() -> None:
    told = AllOf([StrictImprove(), NoRegression()]).judge(MIXED)
    assert not told.passed
    assert "'y' changes" in told.reason
    assert told.gate == "strict-improve and no-regression within 0.05"
    assert AllOf([StrictImprove(), NoRegression()]).judge(UP).passed
    with pytest.raises(UsageError, match="at least one gate"):
        AllOf([]).judge(UP)


def test_a_gate_says_the_same_of_the_same_results() -> None:
    assert DeltaPassRate().judge(MIXED) == DeltaPassRate().judge(MIXED)
