"""Search by words and n-grams, worked by hand where it can be."""

import math

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.distill.bank import SkillBank, search
from skillweave.distill.bank.search import bm25

from .samples import create, text

ROWS = (
    text("harbour", "Reverse the list of ships, then write it with commas."),
    text("market", "Sort the list of fruit, then write it in brackets."),
    text("school", "Remove the first pupil from the list."),
)


def test_bm25_by_hand() -> None:
    scores = bm25(["ship ship list", "fruit list list"], "ship")
    idf = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    assert scores[0] == pytest.approx(idf * 2 * 2.2 / (2 + 1.2))
    assert scores[1] == 0.0


@pytest.mark.parametrize("mode", ["bm25", "ngrams"])
def test_the_skill_that_shares_rare_words_comes_first(mode: str) -> None:
    hits = search(ROWS, "sort fruit", 2, mode=mode)  # type: ignore[arg-type]
    assert hits[0].name == "market"
    assert len(hits) <= 2


def test_ngrams_find_a_word_in_another_form() -> None:
    assert search(ROWS, "pupils", 1, mode="bm25") == ()
    assert search(ROWS, "pupils", 1, mode="ngrams")[0].name == "school"


def test_nothing_in_common_finds_nothing_and_names_break_ties() -> None:
    assert search(ROWS, "zebra", 3) == ()
    assert search((), "list", 3) == ()
    twins = (text("b", "Same."), text("a", "Same."))
    assert [hit.name for hit in search(twins, "same", 2)] == ["a", "b"]


def test_only_active_skills_of_a_bank_are_found() -> None:
    bank = SkillBank()
    bank.apply(create("harbour", "Reverse the ships."))
    assert [hit.name for hit in bank.search("ships", 5)] == ["harbour"]
    assert bank.search("reverse", 5, mode="ngrams")[0].name == "harbour"


@pytest.mark.parametrize(("k", "mode"), [(0, "bm25"), (1, "vectors")])
def test_a_search_that_makes_no_sense_is_refused(k: int, mode: str) -> None:
    with pytest.raises(UsageError, match="expected k >= 1"):
        search(ROWS, "list", k, mode=mode)  # type: ignore[arg-type]
