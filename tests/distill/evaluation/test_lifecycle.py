"""The lifecycle matrix and its judges: hand-worked cells, laws, and what it refuses."""

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.distill.evaluation import (
    EvaluationError,
    ItemResult,
    LifecycleMatrix,
    agreement,
    better_judge,
    judged_pairs,
    lifecycle,
    lifecycle_markdown,
    matrix_document,
    target_of,
)

PASSES = {
    # two items of each of two domains, asked of two targets
    "none": {"a@big": "10", "b@big": "10", "a@low": "10", "b@low": "00"},
    "good": {"a@big": "11", "b@big": "11", "a@low": "10", "b@low": "01"},
    "bad": {"a@big": "00", "b@big": "10", "a@low": "00", "b@low": "00"},
}


def results(passes: dict[str, dict[str, str]]) -> list[ItemResult]:
    """One result for each mark: `domain@target` -> marks."""
    return [
        ItemResult(f"{key[0]}{place}{key[1:]}", key[0], arm, mark == "1", float(mark), 1, 1, "")
        for arm, cells in passes.items()
        for key, marks in cells.items()
        for place, mark in enumerate(marks)
    ]


def matrix() -> LifecycleMatrix:
    return lifecycle(results(PASSES))


def gains(found: LifecycleMatrix) -> dict[tuple[str, str, str], float]:
    return {(c.extractor, c.target, c.domain): c.gain for c in found.cells}


def test_gains_by_hand() -> None:
    assert gains(matrix()) == {
        ("good", "big", "a"): 0.5, ("good", "big", "b"): 0.5,
        ("good", "low", "a"): 0.0, ("good", "low", "b"): 0.5,
        ("bad", "big", "a"): -0.5, ("bad", "big", "b"): 0.0,
        ("bad", "low", "a"): -0.5, ("bad", "low", "b"): 0.0,
    }  # fmt: skip
    assert {cell.num_items for cell in matrix().cells} == {2}


def test_aggregates_by_hand() -> None:
    good, bad = matrix().only(extractors=["good"]), matrix().only(extractors=["bad"])
    assert (good.gain().estimate, bad.gain().estimate) == (0.375, -0.25)
    assert (good.negative().estimate, bad.negative().estimate) == (0.0, 0.5)
    assert matrix().only(targets=["big"]).gain().estimate == 0.125
    assert matrix().only(domains=["b"]).gain().estimate == 0.25
    # by domain: a lost on both targets, b on none; whole domains are drawn
    worse = matrix().more_negative("bad", "good")
    assert (worse.estimate, worse.low, worse.high) == (0.5, 0.0, 1.0)
    assert matrix().more_negative("good", "bad").estimate == -0.5


def test_rows_table_and_document_tell_the_same() -> None:
    rows = matrix().rows()
    assert [(row.kind, row.name, row.num_cells) for row in rows] == [
        ("extractor", "bad", 4), ("extractor", "good", 4), ("target", "big", 4),
        ("target", "low", 4),
    ]  # fmt: skip
    table = lifecycle_markdown(rows).splitlines()
    assert table[3].startswith("| good | +37.5 |")
    assert table[4].startswith("| target big | +12.5 |")
    document = json.loads(json.dumps(matrix_document(matrix())))
    assert document["rows"][1]["gain"] == 0.375
    assert len(document["cells"]) == 8
    assert document["cells"][0] == {
        "domain": "a", "target": "big", "extractor": "bad", "gain": -0.5, "items": 2,
    }  # fmt: skip


def test_items_that_name_no_target_were_asked_of_the_served_one() -> None:
    assert target_of("0a1b") == "served"
    assert target_of("0a1b#2@base") == "base"
    plain = {arm: {"x": "01", "y": "10"} for arm in ("none", "s2l", "oracle")}
    found = lifecycle(results(plain))
    assert (found.targets, found.extractors) == (("served",), ("s2l",))


def test_an_extractor_is_accepted_when_it_helps_and_seldom_hurts() -> None:
    helps = {"none": dict.fromkeys("abcd", "00"), "e": dict.fromkeys("abcd", "11")}
    assert lifecycle(results(helps)).accepts("e").accepted
    hurts = {"none": helps["none"] | {"d": "11"}, "e": helps["e"] | {"d": "00"}}
    refused = lifecycle(results(hurts)).accepts("e", most_negative=0.2)
    assert not refused.accepted
    assert "25% of cells lost, at most 20%" in refused.reason
    assert "interval from" in refused.reason
    nothing = lifecycle(results({"none": helps["none"], "e": helps["none"]})).accepts("e")
    assert not nothing.accepted


def test_what_makes_no_matrix_is_refused() -> None:
    rows = results(PASSES)
    with pytest.raises(EvaluationError, match="expected 'bare'"):
        lifecycle(rows, without="bare")
    with pytest.raises(EvaluationError, match="at least one other"):
        lifecycle(results({"none": {"a": "1"}, "oracle": {"a": "1"}}))
    with pytest.raises(EvaluationError, match="the same items"):
        lifecycle(rows[:-1])
    with pytest.raises(EvaluationError, match="no cell"):
        matrix().only(extractors=["best"])
    with pytest.raises(EvaluationError, match="one domain"):
        lifecycle(results({"none": {"a": "1"}, "e": {"a": "1"}})).accepts("e")


def test_a_judge_by_hand() -> None:
    # on a: good gains 0.25 and bad -0.5; on b: 0.5 and 0
    right = {("a", "good"): 2.0, ("a", "bad"): 1.0, ("b", "good"): 2.0, ("b", "bad"): 1.0}
    half = {**right, ("b", "good"): 1.0}
    wrong = {key: -score for key, score in right.items()}
    assert [agreement(matrix(), s).estimate for s in (right, half, wrong)] == [1.0, 0.75, 0.0]
    assert better_judge(matrix(), right, half).estimate == 0.25
    assert [pair.right for pair in judged_pairs(matrix(), half)] == [1.0, 0.5]
    with pytest.raises(EvaluationError, match="not the same"):
        better_judge(matrix(), right, {("a", "good"): 1.0})


def test_pairs_of_equal_gain_have_no_truth() -> None:
    same = lifecycle(results({"none": {"a": "0"}, "e": {"a": "1"}, "f": {"a": "1"}}))
    scores = {("a", "e"): 1.0, ("a", "f"): 0.0}
    assert judged_pairs(same, scores) == ()
    with pytest.raises(EvaluationError, match="nothing to rank"):
        agreement(same, scores)


@given(
    st.lists(st.text("01", min_size=2, max_size=2), min_size=9, max_size=9), st.permutations("efg")
)
@settings(max_examples=25, deadline=None)
def test_renaming_the_extractors_renames_the_results(marks: list[str], order: list[str]) -> None:
    cells = dict(zip(["none", "e", "f"], (marks[:3], marks[3:6], marks[6:]), strict=True))
    passes = {arm: dict(zip("abc", found, strict=True)) for arm, found in cells.items()}
    new = dict(zip("efg", order, strict=True))
    renamed = [dataclasses.replace(r, arm=new.get(r.arm, r.arm)) for r in results(passes)]
    before, after = gains(lifecycle(results(passes))), gains(lifecycle(renamed[::-1]))
    assert {(new[e], t, d): gain for (e, t, d), gain in before.items()} == after


@given(st.lists(st.text("01", min_size=1, max_size=4), min_size=2, max_size=5))
@settings(max_examples=25, deadline=None)
def test_equal_scores_gain_exactly_nothing(marks: list[str]) -> None:
    cells = dict(zip("abcde", marks, strict=False))
    found = lifecycle(results({"none": cells, "e": cells, "f": cells}))
    assert {cell.gain for cell in found.cells} == {0.0}
    for row in found.rows():
        assert (row.gain.low, row.gain.high, row.negative.high) == (0.0, 0.0, 0.0)
