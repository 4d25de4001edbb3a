"""Who wins a comparison of recipes: decided over seeds, corrected for every pair."""

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.distill.evaluation import (
    Above,
    Criterion,
    EvaluationError,
    ItemResult,
    judge,
    mean,
    recipe_verdict,
)
from skillweave.distill.recipes import Run
from skillweave.distill.recipes.comparing import contest

CRITERION = Criterion(statement="it passes", clauses=(Above(what=mean("own"), bar=0.5),))


def a_run(seed: int, num_passed: int, *, num_items: int = 20) -> Run:
    results = tuple(
        ItemResult(f"i{i:02d}", f"s{i % 5}", "own", i < num_passed, 0.0, 1, 1, "")
        for i in range(num_items)
    )
    judgement = judge(results, CRITERION, num_resamples=10)
    verdict = recipe_verdict(
        judgement, CRITERION, recipe="r", source="s", seeds={"run": seed}, base="b", code="c",
        wall_s=1.0, rollouts=0,
    )  # fmt: skip
    return Run(verdict, judgement, results)


def runs(**passed: tuple[int, ...]) -> dict[str, dict[int, Run]]:
    return {name: {s: a_run(s, n) for s, n in enumerate(of)} for name, of in passed.items()}


def test_a_win_needs_seeds_that_agree() -> None:
    three = runs(good=(18, 19, 18), bad=(8, 9, 7), wild=(2, 19, 8))
    found, figures = contest(
        three, methods=dict.fromkeys(three, "own"), world="w", budget={"rollouts": 9}
    )
    winners = {(pair.a, pair.b): pair.winner for pair in found.pairs}
    assert winners == {("good", "bad"): "good", ("good", "wild"): None, ("bad", "wild"): None}
    assert found.means["good"] == pytest.approx(55 / 60)
    assert [f.seed for f in figures] == [0, 1, 2]
    assert {arm.name for arm in figures[0].arms} == {"good", "bad", "wild"}


def test_the_worse_one_named_first_loses() -> None:
    found, _ = contest(
        runs(bad=(8, 9, 7), good=(18, 19, 18)), methods={"bad": "own", "good": "own"},
        world="w", budget={},
    )  # fmt: skip
    assert found.pairs[0].diff < 0
    assert found.pairs[0].winner == "good"


def test_more_pairs_ask_for_more() -> None:
    # differences 0.35, 0.5, 0.3: t(2) = 6.38, p = 0.0237; with three pairs 0.071
    alone = runs(good=(15, 18, 14), bad=(8, 8, 8))
    both, _ = contest(alone, methods=dict.fromkeys(alone, "own"), world="w", budget={})
    assert both.pairs[0].winner == "good"
    more = alone | runs(other=(12, 4, 15))
    many, _ = contest(more, methods=dict.fromkeys(more, "own"), world="w", budget={})
    assert many.pairs[0].p == both.pairs[0].p < 0.05
    assert many.pairs[0].p_holm == pytest.approx(3 * many.pairs[0].p)
    assert many.pairs[0].winner is None


def test_with_one_seed_the_skills_speak_and_that_is_said() -> None:
    found, figures = contest(
        runs(good=(19,), bad=(1,)), methods={"good": "own", "bad": "own"}, world="w", budget={}
    )
    assert found.pairs[0].ci == figures[0].comparisons[0].ci
    assert found.notes == ("one seed: intervals speak of its skills and items, not of other seeds",)


def test_other_items_or_an_arm_that_was_not_run_are_refused() -> None:
    pair = {"a": {0: a_run(0, 3)}, "b": {0: a_run(0, 3, num_items=19)}}
    with pytest.raises(EvaluationError, match="not matched"):
        contest(pair, methods={"a": "own", "b": "own"}, world="w", budget={})
    with pytest.raises(UsageError, match="is arm 'gone', which it did not run"):
        contest(runs(a=(1,), b=(1,)), methods={"a": "own", "b": "gone"}, world="w", budget={})
