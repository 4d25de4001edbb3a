"""Results become figures only when the arms are matched."""

import pytest
from skillweave.distill.evaluation import (
    Above,
    Criterion,
    Discordant,
    EvaluationError,
    ItemResult,
    by_arm,
    compare,
    diff,
    judge,
    summarise,
)


def row(item: str, arm: str, passed: bool, *, cluster: str = "s", error: str = "") -> ItemResult:
    return ItemResult(item, cluster, arm, passed, float(passed), 10, 4, "text", error=error)


def arm_rows(arm: str, passes: str) -> list[ItemResult]:
    """`"101"` is three items in two clusters: passed, not passed, passed."""
    return [row(f"i{n}", arm, mark == "1", cluster=f"s{n % 2}") for n, mark in enumerate(passes)]


CRITERION = Criterion(statement="a beats b", clauses=(Above(what=diff("a", "b"), bar=0.3),))


def test_a_summary_counts_failed_requests_as_not_passed_but_not_in_the_tokens() -> None:
    rows = [row("i0", "a", True), ItemResult("i1", "s", "a", False, 0.0, 0, 0, "", error="hung")]
    got = summarise(rows)
    assert (got.mean, got.n, got.failures) == (0.5, 2, 1)
    assert (got.tokens.prompt, got.tokens.completion) == (10, 4)


def test_a_summary_has_one_share_a_skill() -> None:
    assert summarise(arm_rows("a", "1011")).per_cluster == {"s0": 1.0, "s1": 0.5}


def test_an_arm_without_a_single_answer_has_no_tokens() -> None:
    got = summarise([row("i0", "a", False, error="hung")])
    assert (got.tokens.prompt, got.failures) == (0.0, 1)


def test_a_comparison_pairs_by_item_and_not_by_position() -> None:
    got = compare(arm_rows("a", "1100"), arm_rows("b", "1000")[::-1])
    assert (got.a, got.b, got.n) == ("a", "b", 4)
    assert got.diff == 0.25
    assert got.discordant == Discordant(only_a=1, only_b=0)
    assert got.p_mcnemar == 1.0


@pytest.mark.parametrize(("passes", "p"), [("1", 1.0), ("111", 0.25), ("1" * 12, 2 / 2**12)])
def test_disagreements_never_say_more_than_as_many_fair_coins(passes: str, p: float) -> None:
    """All pairs differ alike, so neither items nor clusters show any spread."""
    got = compare(arm_rows("a", passes), arm_rows("b", "0" * len(passes)))
    assert got.p == got.p_mcnemar == pytest.approx(p)


def test_arms_over_different_items_are_refused_by_name() -> None:
    results = arm_rows("a", "111") + arm_rows("b", "11")
    with pytest.raises(EvaluationError, match=r"1 items are in one alone, such as 'i2'.*'a'"):
        by_arm(results)


def test_an_item_answered_twice_is_refused() -> None:
    with pytest.raises(EvaluationError, match="'i0' twice"):
        by_arm([row("i0", "a", True), row("i0", "a", True)])


def test_an_item_in_two_clusters_is_refused() -> None:
    with pytest.raises(EvaluationError, match="in 't' for arm 'b'"):
        by_arm([row("i0", "a", True), row("i0", "b", True, cluster="t")])


def test_no_results_are_refused() -> None:
    with pytest.raises(EvaluationError, match="no results"):
        by_arm([])


def test_judging_compares_what_the_criterion_and_the_caller_name() -> None:
    results = [*arm_rows("a", "1" * 40), *arm_rows("b", "0" * 40), *arm_rows("c", "10" * 20)]
    got = judge(results, CRITERION, pairs=[("a", "c"), ("a", "b")], num_resamples=200)
    assert [(c.a, c.b) for c in got.comparisons] == [("a", "b"), ("a", "c")]
    assert got.checked.status == "works"
    assert {arm.name: arm.mean for arm in got.arms} == {"a": 1.0, "b": 0.0, "c": 0.5}


def test_an_arm_the_criterion_names_must_have_run() -> None:
    with pytest.raises(EvaluationError, match=r"no arm named 'b'; the run has 'a'"):
        judge(arm_rows("a", "11"), CRITERION)


def test_one_more_arm_moves_no_other_interval() -> None:
    two = [*arm_rows("a", "1101" * 10), *arm_rows("b", "0100" * 10)]
    first = judge(two, CRITERION, seed=3, num_resamples=300)
    more = judge([*arm_rows("z", "1" * 40), *two], CRITERION, seed=3, num_resamples=300)
    assert more.comparisons == first.comparisons
    assert more.arms[1:] == first.arms


def test_another_seed_draws_other_resamples() -> None:
    rows = [row(f"i{n}", "a", n % 3 == 0, cluster=f"s{n // 7}") for n in range(84)]
    first = summarise(rows, seed=0, num_resamples=300)
    assert first.ci != summarise(rows, seed=1, num_resamples=300).ci
