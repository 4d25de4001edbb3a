"""Short faces: what they say, and that nothing is lost. No package is needed here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.distill.worlds.reasoning import FACES

WORKED = {
    "chain_sum": (
        "State the final answer to the following arithmetic problem: 15 - 43 - 75 =",
        "15 - 43 - 75 =",
    ),
    "basic_arithmetic": ("Calculate -( 67 * -83 + 74 ).", "what is -( 67 * -83 + 74 )?"),
    "spell_backward": (
        "Spell this word backward (example: sun -> nus): Sawan",
        "reverse the word: S a w a n",
    ),
    "lcm": (
        "Find the Least Common Multiple (LCM) of these numbers: 98, 58",
        "what is the minimum number that all of 98, 58 divide?",
    ),
}


@pytest.mark.parametrize("name", FACES)
def test_a_short_face_and_back(name: str) -> None:
    question, short = WORKED[name]
    assert FACES[name].shorten(question) == short
    assert FACES[name].expand(short) == question


@given(st.text("0123456789+-*/() ,", min_size=1, max_size=40))
def test_whatever_varies_comes_back(varies: str) -> None:
    for face in FACES.values():
        if not face.spelled:
            question = face.original.replace("{x}", varies)
            assert face.expand(face.shorten(question)) == question


@given(st.text("abcxyzABC'", min_size=1, max_size=12))
def test_a_spelled_word_and_answer_come_back(word: str) -> None:
    face = FACES["spell_backward"]
    question = face.original.replace("{x}", word)
    assert face.expand(face.shorten(question)) == question
    assert face.expand_answer(face.shorten_answer(word)) == word


def test_another_wording_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'Compute 1 \+ 1.' is worded otherwise than 'Calculate"):
        FACES["basic_arithmetic"].shorten("Compute 1 + 1.")
