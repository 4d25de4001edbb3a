"""Descriptions that say the same are found; those that share only boilerplate are not."""

import math

import pytest
from skillweave.distill.near_duplicates import cosine, description_profile, near_duplicates

PDF = "Extract text and tables from PDF files, fill forms, merge documents. Use when given PDFs."
PDF_AGAIN = "Extracts tables and text out of PDF documents, fills forms and merges PDF files."
SHEET = "Create and edit spreadsheets with formulas and charts. Use when working with Excel files."


def test_cosine_of_hand_worked_profiles() -> None:
    left, right = description_profile("ab"), description_profile("cd")
    assert left == {"ab": 1, " ab ": 1}
    assert cosine(left, left) == pytest.approx(1.0)
    assert cosine(left, right) == 0.0
    both = description_profile("ab cd")
    assert both == {"ab": 1, "cd": 1, " ab ": 1, "ab c": 1, "b cd": 1, " cd ": 1}
    assert cosine(left, both) == pytest.approx(2 / math.sqrt(2 * 6))


def test_empty_words_alone_make_no_likeness() -> None:
    assert cosine(description_profile("Use when asked to"), description_profile("use it")) == 0.0


def test_a_rewording_is_found_and_another_skill_is_not() -> None:
    found = near_duplicates({"a": PDF, "sheet": SHEET, "b": PDF_AGAIN, "c": PDF})
    assert found[0][:2] == ("a", "c")
    assert {frozenset(pair[:2]) for pair in found} == {
        frozenset("ac"),
        frozenset("ab"),
        frozenset("bc"),
    }


def test_one_or_no_skill_has_no_pair() -> None:
    assert near_duplicates({}) == near_duplicates({"a": PDF}) == []
