"""Rows drawn from a finite pool: rules of replacement, odds, quotas, agreement."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.adapters.errors import UsageError
from skillweave.distill.curricula import (
    agreed,
    draw_by_stratum,
    draw_of_each,
    draw_rows,
    within_quotas,
)


@settings(max_examples=80, deadline=None)
@given(
    weights=st.lists(st.sampled_from([0.0, 1e-6, 0.3, 1.0, 50.0]), min_size=1, max_size=8),
    num_rows=st.integers(0, 20),
    seed=st.integers(0, 99),
)
def test_every_row_comes_once_before_any_comes_twice(
    weights: list[float], num_rows: int, seed: int
) -> None:
    positive = sum(weight > 0 for weight in weights)
    pool = list(range(len(weights)))
    if num_rows and not positive:
        with pytest.raises(UsageError, match="weight 0"):
            draw_rows(pool, weights, num_rows, rng=np.random.default_rng(seed))
        return
    drawn = draw_rows(pool, weights, num_rows, rng=np.random.default_rng(seed))
    assert len(drawn) == num_rows
    assert all(weights[row] > 0 for row in drawn)
    counts = Counter(drawn)
    times = [counts[row] for row in pool if weights[row] > 0]
    assert max(times, default=0) - min(times, default=0) <= 1
    assert drawn == draw_rows(pool, weights, num_rows, rng=np.random.default_rng(seed))


def test_the_odds_are_the_weights() -> None:
    # the first of two rows comes first with 3 / (3 + 1); 4 standard errors of 2000 draws
    rng = np.random.default_rng(1)
    first = [draw_rows(["a", "b"], [3.0, 1.0], 1, rng=rng)[0] for _ in range(2000)]
    assert first.count("a") / 2000 == pytest.approx(0.75, abs=0.039)


def test_after_one_is_drawn_the_others_keep_their_odds() -> None:
    # P(b second | a first) = 2 / (2 + 1), as in draws one after the other
    rng = np.random.default_rng(2)
    pairs = [tuple(draw_rows("abc", [5.0, 2.0, 1.0], 2, rng=rng)) for _ in range(3000)]
    after_a = [second for one, second in pairs if one == "a"]
    assert after_a.count("b") / len(after_a) == pytest.approx(2 / 3, abs=0.05)


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0]])
def test_bad_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(UsageError, match="one weight a row"):
        draw_rows(["x", "y"], weights, 1, rng=np.random.default_rng(0))


def test_quotas_by_hand() -> None:
    rows = ["a", "ab", "b", "ba", "a", "c", "bb"]
    kept = within_quotas(rows, {"a": 2, "b": 2}, labels=list)
    # a:1; ab a:2 b:1; b:2; ba has no room; a has none; c has no quota; b has no room
    assert kept == ["a", "ab", "b"]
    assert within_quotas(rows, {"b": 9}, labels=list) == ["b", "bb"]


def test_agreement_needs_two_and_no_tie() -> None:
    assert agreed(["x", "y", "x"]) == "x"
    assert agreed(["x", "y", "z"]) is None
    assert agreed([None, None, "x"]) is None
    assert agreed(["x", "x", "y", "y"]) is None
    assert agreed(["x"], least=1) == "x"
    assert agreed([]) is None


def test_every_stratum_gives_as_many_rows_whatever_the_weights() -> None:
    pool = ["a1", "a2", "a3", "b1", "b2", "b3"]
    rng = np.random.default_rng(0)
    drawn = draw_by_stratum(
        pool, lambda row: float(row in ("a1", "a2", "b3")), 5, stratum=lambda row: row[0], rng=rng
    )
    assert sorted(drawn[:3]) in (["a1", "a1", "a2"], ["a1", "a2", "a2"])  # 3 of 5 from the first
    assert drawn[3:] == ["b3", "b3"]
    with pytest.raises(UsageError, match="weight 0"):
        draw_by_stratum(pool, lambda row: float(row[0] == "a"), 2, stratum=lambda r: r[0], rng=rng)


@given(
    names=st.lists(st.sampled_from("ab"), max_size=12),
    seed=st.integers(0, 99),
)
def test_the_tasks_of_drawn_categories_are_of_them_and_differ_while_they_can(
    names: list[str], seed: int
) -> None:
    pools = {"a": ["a1", "a2", "a3"], "b": ["b1"], "c": []}
    rows = draw_of_each(names, pools, rng=np.random.default_rng(seed))
    assert [row[0] for row in rows] == names
    times = Counter(row for row in rows if row[0] == "a")
    assert len(times) == min(3, names.count("a"))
    assert max(times.values(), default=0) == -(-names.count("a") // 3)
    assert draw_of_each(names, pools, rng=np.random.default_rng(seed)) == rows


def test_a_category_without_tasks_is_refused() -> None:
    for name in "cd":
        with pytest.raises(UsageError, match=f"'{name}' has no rows"):
            draw_of_each(["a", name], {"a": [1], "c": []}, rng=np.random.default_rng(0))
