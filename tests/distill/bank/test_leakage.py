"""Answers that must not stand in a skill."""

from skillweave.distill.bank import leaked_answers

from .samples import text


def test_an_answer_in_the_body_is_found_whatever_the_spacing_and_case() -> None:
    skill = text("a", "1. Reverse.\nFor example write [ B  c\nd ].")
    assert [p.code for p in leaked_answers(skill, ["[ b c d ]", "b c f"])] == ["leaked_answer"]


def test_an_answer_in_a_file_beside_is_found() -> None:
    skill = text("a").model_copy(update={"files": {"references/x.md": "k - l - m"}})
    assert leaked_answers(skill, ["k - l - m"])
    assert not leaked_answers(skill, ["k - l - n"])


def test_short_answers_and_parts_of_words_are_passed_over() -> None:
    skill = text("a", "Count one two threes.")
    assert not leaked_answers(skill, ["count", "one two", "one two three"])
    assert leaked_answers(skill, ["one two"], min_words=2)
