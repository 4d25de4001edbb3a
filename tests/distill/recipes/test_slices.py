"""Slices: results by the name of their cluster, and a sentence with every figure."""

from skillweave.distill.evaluation import ItemResult
from skillweave.distill.recipes.slices import slice_notes, sliced


def rows(arm: str, slice_: str, marks: str) -> list[ItemResult]:
    return [
        ItemResult(f"{slice_}{i}", f"{slice_}-{i:03d}", arm, mark == "1", float(mark), 1, 1, "")
        for i, mark in enumerate(marks)
    ]


def test_a_slice_is_the_name_before_the_number_and_keeps_every_arm() -> None:
    found = sliced([*rows("a", "held-out", "10"), *rows("a", "k5", "1"), *rows("b", "k5", "0")])
    assert [*found] == ["held-out", "k5"]
    assert [(row.arm, row.passed) for row in found["k5"]] == [("a", True), ("b", False)]


def test_a_note_says_what_counting_by_hand_says() -> None:
    found = sliced([*rows("a", "k5", "1110"), *rows("b", "k5", "1000")])
    (note,) = slice_notes(found, [("a", "b")], seed=0)
    assert note.startswith("k5 (4 items): a 0.750, b 0.250; a minus b +0.500 [")
    (other,) = slice_notes(found, [("b", "a")], seed=0)
    assert "b minus a -0.500 [" in other
