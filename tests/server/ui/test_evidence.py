"""Attestations as the page reads them: intervals by hand, controls told apart."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.server.gateway.ui.evidence import finding, headline, wilson

ROUTING: dict[str, object] = {
    "type": "routing-evidence",
    "base": "b" * 64,
    "adapter_meets": True,
    "text_helps": False,
    "form": "adapter",
    "split": "dev",
    "means": {"none": 0.0, "text": 0.5, "s2l": 0.9},
    "n": 40,
    "reason": "the adapter met its criterion on this base",
}


def test_wilson_by_hand() -> None:
    # p = 1/2, n = 4, z^2 = 3.8415: middle 1/2, half = z sqrt(1/16 + z^2/64) / (1 + z^2/4)
    low, high = wilson(0.5, 4)
    half = 1.959964 * math.sqrt(1 / 16 + 3.8414589 / 64) / (1 + 3.8414589 / 4)
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-6)
    assert wilson(1.0, 40) == (pytest.approx(40 / (40 + 3.8414589), abs=1e-6), 1.0)
    assert wilson(0.0, 40)[0] == 0.0


def test_means_become_arms_with_roles_and_intervals() -> None:
    seen = finding(ROUTING)
    assert [(arm.name, arm.role, arm.mean) for arm in seen.arms] == [
        ("none", "control", 0.0),
        ("text", "text", 0.5),
        ("s2l", "adapter", 0.9),
    ]
    assert all(arm.interval == "wilson" and arm.n == 40 for arm in seen.arms)
    assert seen.verdicts == (("adapter meets", True), ("text helps", False))
    assert (seen.form, seen.split, seen.hearsay) == ("adapter", "dev", None)
    assert seen.facts == ()


def test_a_stated_interval_is_taken_and_without_n_there_is_none() -> None:
    arms = {"s2l": {"mean": 0.89, "ci": [0.86, 0.92], "n": 600}, "odd": {"mean": 3.5}}
    stated, without = finding({"type": "exam", "arms": arms}).arms
    assert (stated.low, stated.high, stated.interval) == (0.86, 0.92, "stated")
    assert (without.low, without.high, without.interval) == (None, None, "unknown")


def test_imported_evidence_is_hearsay_and_counts_last() -> None:
    told = {"type": "imported", "from": {"repo": "them/theirs"}, "evidence": ROUTING}
    reported = finding(told)
    assert reported.hearsay == "them/theirs"
    own = finding({"type": "routing-evidence", "means": {"text": 0.4}, "n": 10})
    best = headline([own, reported])
    assert best is not None
    assert (best[0].hearsay, best[1].mean) == ("them/theirs", 0.9)  # the only adapter measured
    measured = finding({"type": "routing-evidence", "means": {"s2l": 0.7}, "n": 10})
    best = headline([measured, reported])
    assert best is not None
    assert best[1].mean == 0.7
    assert headline([]) is None


def test_the_newest_of_our_own_measurements_stands_in_the_table() -> None:
    first, second = (finding({"type": "x", "means": {"s2l": m}, "n": 5}) for m in (0.2, 0.6))
    best = headline([first, second])
    assert best is not None
    assert best[1].mean == 0.6


def test_other_facts_are_kept_as_short_text() -> None:
    seen = finding({"type": "training", "kept": 192, "text_gain": {"n": 40}, "x": "y" * 999})
    assert seen.facts[:2] == (("kept", "192"), ("text gain", "n 40"))
    assert len(seen.facts[2][1]) == 240


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
KEYS = st.sampled_from(["type", "means", "arms", "n", "evidence", "from", "form", "ci", "x"])


@given(st.dictionaries(KEYS, JSON))
def test_nothing_that_somebody_attests_breaks_the_page(document: dict[str, object]) -> None:
    seen = finding(document)
    assert all(math.isfinite(arm.mean) for arm in seen.arms)
    headline([seen])
