"""Worked answers, and what the scorer makes of texts that nobody can trust."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.distill.worlds.string_skills import SkillSpec, score, worked_answer

EXPECTED = "[ f d c ]"


def test_a_worked_answer_shows_every_state_then_the_final_line(spec: SkillSpec) -> None:
    answer = worked_answer(spec, ("b", "c", "d", "f"))
    assert answer == "1: c d f\n2: f d c\nfinal: [ f d c ]"
    verdict = score(answer, EXPECTED)
    assert (verdict.passed, verdict.reward) == (True, 1.0)


@pytest.mark.parametrize(
    "answer",
    [
        "final: [ f d c ]",
        "final:[ f d c ]",
        "  final:   [  f\td  c ]  \n",
        "1: wrong\n2: wronger\nfinal: [ f d c ]\nand that is it",
        "<think>\nfinally\n</think>\n\nfinal: [ f d c ]",
    ],
)
def test_only_the_final_line_counts_and_white_space_is_folded(answer: str) -> None:
    assert score(answer, EXPECTED).passed


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "0 lines begin with 'final:'"),
        ("1: c d f\n2: f d c", "0 lines"),
        ("Final: [ f d c ]", "0 lines"),
        ("the final: [ f d c ]", "0 lines"),
        ("final: [ f d c ]\nfinal: [ f d c ]", "2 lines"),
        ("final: [ b ]\nfinal: [ f d c ]", "2 lines"),
        ("final:", "is ''"),
        ("final: [ c d f ]", r"is '\[ c d f \]', expected '\[ f d c \]'"),
        ("final: f d c", "is 'f d c'"),
        ("final: [f d c]", "expected"),
        ("final: [ f d c ] or so", "expected"),
    ],
)
def test_anything_else_fails_and_the_reason_says_why(answer: str, reason: str) -> None:
    verdict = score(answer, EXPECTED)
    assert (verdict.passed, verdict.reward) == (False, 0.0)
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(verdict.reason)


def test_a_hostile_answer_is_text_and_nothing_else(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    hostile = (
        f"final: __import__('pathlib').Path({str(mark)!r}).touch()",
        f"final: {{().__class__.__base__}}%s $(touch {mark}) `touch {mark}`",
        "final: {expected}",
        "final: " + "[" * 100_000,
        "final: " + "\x00\u2028\ud7ff" * 3,
    )
    before = dict(os.environ)
    assert not any(score(text, EXPECTED).passed for text in hostile)
    assert not mark.exists()
    assert dict(os.environ) == before
    # Text is compared with text: even an expression of the right value is not the value.
    assert not score("final: '[ f d c ]'", EXPECTED).passed


@given(st.text())
def test_any_text_gets_the_same_verdict_twice(text: str) -> None:
    assert score(text, EXPECTED) == score(text, EXPECTED)
    assert not score(f"no {text}", f"{text}x").passed
