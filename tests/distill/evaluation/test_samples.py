"""Several samples of an item, and pass@k against counting all subsets."""

import itertools

import pytest
from skillweave.distill.evaluation import (
    EvaluationError,
    ItemResult,
    pass_at_k,
    pass_at_k_difference,
    pass_at_k_mean,
    several_samples,
)
from skillweave.distill.worlds.string_skills import SkillSpec, draw_tasks


@pytest.mark.parametrize(("n", "c"), [(5, 0), (5, 2), (5, 5), (6, 1)])
def test_pass_at_k_is_the_share_of_subsets_that_hold_a_pass(n: int, c: int) -> None:
    for k in range(1, n + 1):
        subsets = list(itertools.combinations(range(n), k))
        lucky = sum(any(sample < c for sample in subset) for subset in subsets)
        assert pass_at_k(n, c, k) == pytest.approx(lucky / len(subsets))


@pytest.mark.parametrize(("n", "c", "k"), [(3, 4, 1), (3, -1, 1), (3, 1, 4), (3, 1, 0)])
def test_what_cannot_be_estimated_is_refused(n: int, c: int, k: int) -> None:
    with pytest.raises(EvaluationError, match="draw more samples"):
        pass_at_k(n, c, k)


def test_a_sample_is_an_item_with_a_number(spec: SkillSpec) -> None:
    (task,) = draw_tasks(spec, family="f", split="test", num_tasks=1, seed=0)
    first, second = several_samples([task], 2)
    assert (first.id, second.id) == (f"{task.id}#0", f"{task.id}#1")
    assert second.meta == {**task.meta, "sample": "1"}
    assert (first.family, first.messages, first.split) == (task.family, task.messages, task.split)
    assert first.verify("final: nothing").passed is False
    with pytest.raises(EvaluationError, match="num_samples=0"):
        several_samples([task], 0)


def rows(arm: str, passes: dict[str, str]) -> list[ItemResult]:
    """`{"i0": "10"}`: item i0, its first sample passed and its second not."""
    return [
        ItemResult(f"{item}#{number}", f"s-{item}", arm, mark == "1", float(mark), 1, 1, "")
        for item, marks in passes.items()
        for number, mark in enumerate(marks)
    ]


def test_the_mean_is_over_items_and_the_difference_is_paired_by_item() -> None:
    a, b = rows("a", {"i0": "1000", "i1": "1111"}), rows("b", {"i0": "0000", "i1": "1100"})
    assert pass_at_k_mean(a, 2).estimate == pytest.approx((0.5 + 1.0) / 2)
    # b: item i0 never, item i1 misses only the pair of its two failures: 5 of 6
    got = pass_at_k_difference(a, b, 2)
    assert got.estimate == pytest.approx((0.5 + 1.0 - 0.0 - 5 / 6) / 2)
    assert got.low <= got.estimate <= got.high


def test_arms_over_other_items_or_two_arms_at_once_are_refused() -> None:
    a, b = rows("a", {"i0": "10"}), rows("b", {"i1": "10"})
    with pytest.raises(EvaluationError, match="same items"):
        pass_at_k_difference(a, b, 1)
    with pytest.raises(EvaluationError, match="exactly one arm"):
        pass_at_k_mean([*a, *b], 1)


def test_an_id_that_holds_the_mark_itself_is_no_sample_of_a_shared_item() -> None:
    passed = {"room#a": "1", "room#b": "0", "room#²": "0"}
    each = [
        ItemResult(item, "s", "a", mark == "1", float(mark), 1, 1, "")
        for item, mark in passed.items()
    ]
    assert pass_at_k_mean(each, 1).estimate == pytest.approx(1 / 3)
    with pytest.raises(EvaluationError, match="n=1, c=1, k=2"):  # one item of three samples else
        pass_at_k_mean(each, 2)
    assert pass_at_k_mean(rows("a", passed), 1).estimate == pytest.approx(1 / 3)
