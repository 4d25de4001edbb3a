"""Seeds count once each, whatever they had inside."""

import pytest
from skillweave.distill.evaluation import (
    Above,
    Criterion,
    EvaluationError,
    ItemResult,
    RecipeVerdict,
    arms_over_seeds,
    comparisons_over_seeds,
    diff,
    judge,
    over_seeds,
    recipe_verdict,
)


def test_three_seeds_by_hand() -> None:
    # mean 0.2, deviation 0.1, error 0.1 / sqrt 3, t(2) = 4.3027; P(|t(2)| > 3.4641) = 0.0742
    got = over_seeds({0: 0.1, 1: 0.2, 2: 0.3})
    assert got.mean == pytest.approx(0.2)
    assert got.ci == (pytest.approx(-0.0484, abs=1e-4), pytest.approx(0.4484, abs=1e-4))
    assert got.p == pytest.approx(0.0742, abs=1e-4)
    assert got.num_seeds == 3


def test_one_seed_has_no_interval_and_no_p_value() -> None:
    got = over_seeds({4: 0.7})
    assert (got.mean, got.ci, got.p) == (0.7, None, None)


@pytest.mark.parametrize("share", [0.01, 0.0])
def test_seeds_that_agree_exactly_tell_no_spread_and_so_nothing_of_other_seeds(
    share: float,
) -> None:
    """One item of a hundred more on each of three seeds is no certainty."""
    got = over_seeds(dict.fromkeys(range(3), share))
    assert (got.mean, got.ci, got.p) == (pytest.approx(share), None, None)


def verdict(seed: int, num_passed: int) -> RecipeVerdict:
    criterion = Criterion(statement="a beats b", clauses=(Above(what=diff("a", "b"), bar=0.3),))
    results = [
        ItemResult(f"i{i}", f"s{i % 2}", arm, arm == "a" and i < num_passed, 0.0, 1, 1, "")
        for i in range(4)
        for arm in ("a", "b")
    ]
    return recipe_verdict(
        judge(results, criterion, num_resamples=10), criterion, recipe="r", source="s",
        seeds={"run": seed}, base="b", code="c", wall_s=1.0, rollouts=1,
    )  # fmt: skip


def test_verdicts_of_several_seeds_become_one_figure_an_arm_and_a_comparison() -> None:
    verdicts = [verdict(0, 4), verdict(1, 2)]
    assert arms_over_seeds(verdicts)["a"].per_seed == {0: 1.0, 1: 0.5}
    (pair,) = comparisons_over_seeds(verdicts).items()
    assert (pair[0], pair[1].mean) == (("a", "b"), 0.75)


def test_a_seed_twice_no_seed_or_no_number_is_refused() -> None:
    with pytest.raises(EvaluationError, match="expected each once"):
        arms_over_seeds([verdict(0, 1), verdict(0, 1)])
    with pytest.raises(EvaluationError, match="names no seed 'run'"):
        arms_over_seeds([verdict(0, 1).model_copy(update={"seeds": {"draw": 1}})])
    with pytest.raises(EvaluationError, match="at least one"):
        over_seeds({})
    with pytest.raises(EvaluationError, match="finite"):
        over_seeds({0: float("nan")})
