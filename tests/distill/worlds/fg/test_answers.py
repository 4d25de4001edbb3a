"""Worked answers by hand, what went wrong in an answer, and calls in three notations."""

import random

import pytest
from skillweave.distill.worlds.fg import FunctionsSpec, failure, trace, worked_answer
from skillweave.distill.worlds.fg.answers import answer_words
from skillweave.distill.worlds.fg.requests import call_text, request_text
from skillweave.distill.worlds.string_skills import Operation

SPEC = FunctionsSpec((("blim", Operation("reverse")), ("dax", Operation("append", ("k",)))), 2)
CHAIN = ("dax", "blim")
STATES = SPEC.states(CHAIN, ("b", "c"))
RIGHT = "dax = append k: b c k\nblim = reverse: k c b\nfinal: k c b"


def test_a_worked_answer_says_what_each_function_does_and_the_list_after_it() -> None:
    operations = SPEC.operations(CHAIN)
    assert worked_answer(CHAIN, operations, STATES) == RIGHT
    assert answer_words(operations, STATES) == len(
        "dax = append k : b c k \n blim = reverse : k c b \n final : k c b".split(" ")
    )
    assert worked_answer(("dax",), (Operation("set-place", ("2", "k")),), (("b", "k"),)) == (
        "dax = set-place 2 k: b k\nfinal: b k"
    )


def test_an_answer_may_leave_out_what_a_function_does() -> None:
    assert trace("dax: b c k\nblim : k c b") == trace(RIGHT)
    assert trace(RIGHT) == (("dax", ("b", "c", "k")), ("blim", ("k", "c", "b")))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (RIGHT, "none"),
        ("final: k c b", "none"),
        ("", "form"),
        ("final: b c", "form"),
        ("dax: b c k\nblim: k c b", "form"),
        (f"{RIGHT}\nfinal: k c b", "form"),
        ("dax: b c k\nfinal: b c k", "composition"),
        ("dax: b c k\ndax: b c k k\nfinal: b c k k", "composition"),
        ("dax: b c k\nwug: b c k\nfinal: b c k", "composition"),
        ("blim: c b\ndax: c b k\nfinal: c b k", "order"),
        ("dax: b c k\nblim: k b c\nfinal: k b c", "function"),
        ("dax: b c k\nblim: k c b\nfinal: k c", "function"),
    ],
)
def test_an_answer_is_right_or_fails_in_one_way(text: str, what: str) -> None:
    assert failure(CHAIN, "k c b", text) == what


def test_a_trace_is_read_of_anything_and_quickly() -> None:
    assert trace("\udcff\ndax: " + "k " * 500_000) == ()
    assert trace("a" * 1_000_000 + "\ndax: b; import os") == ()


def test_one_call_in_three_notations() -> None:
    chain, items = ("dax", "blim", "wug"), ("b", "c")
    assert call_text(chain, items, 0) == "wug ( blim ( dax ( b c ) ) )"
    assert call_text(chain, items, 1) == "wug of blim of dax of b c"
    assert call_text(chain, items, 2) == "b c after dax, then blim, then wug"
    assert call_text(("dax",), items, 0) == "dax ( b c )"
    assert call_text(("dax",), items, 2) == "b c after dax"


def test_requests_differ_and_unseen_frames_are_no_seen_ones() -> None:
    rng = random.Random(0)
    seen = {request_text(CHAIN, ("b", "c"), rng) for _ in range(300)}
    unseen = {request_text(CHAIN, ("b", "c"), rng, wording="unseen") for _ in range(300)}
    assert (len(seen), len(unseen), len(seen & unseen)) == (24, 12, 0)
