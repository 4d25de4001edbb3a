"""What each constraint accepts, by hand, and that beginnings are judged by what may follow."""

import itertools

import pytest
from skillweave.distill.worlds.constraints.predicates import (
    PREDICATES,
    named_symbols,
    note,
    parameter_values,
    phrase,
)

CASES = [  # kind, parameters, lists that satisfy it, lists that do not
    ("starts", ("k",), ["k", "k b"], ["b k", "b"]),
    ("ends", ("k",), ["k", "b k"], ["k b", "b"]),
    ("place", ("2", "k"), ["b k", "k k b"], ["k b", "k"]),
    ("count", ("3",), ["b c d"], ["b c", "b c d f"]),
    ("contains", ("k",), ["b k", "k k"], ["b c"]),
    ("avoids", ("k",), ["b c"], ["b k"]),
    ("twice", ("k",), ["k k", "k b k"], ["k", "k k k", "b"]),
    ("sorted", ("up",), ["b c c d", "b"], ["c b"]),
    ("sorted", ("down",), ["d c c b"], ["b c"]),
    ("unique", (), ["b c d"], ["b c b"]),
    ("parity", ("even",), ["b c"], ["b"]),
    ("parity", ("odd",), ["b c d"], ["b c"]),
    ("before", ("k", "m"), ["k m", "k b m k"], ["m k", "k", "m", "b", "m k m"]),
    ("follows", ("k", "m"), ["k m", "b k m k m"], ["k b m", "b m", "k m k", "k"]),
]


@pytest.mark.parametrize(("kind", "params", "right", "wrong"), CASES)
def test_what_a_constraint_accepts(
    kind: str, params: tuple[str, ...], right: list[str], wrong: list[str]
) -> None:
    row = PREDICATES[kind]
    assert all(row.holds(tuple(text.split()), params) for text in right)
    assert not any(row.holds(tuple(text.split()), params) for text in wrong)


def test_every_kind_is_worked_by_hand() -> None:
    assert {kind for kind, *_ in CASES} == {*PREDICATES}


@pytest.mark.parametrize("kind", PREDICATES)
def test_a_beginning_can_be_completed_exactly_when_it_is_said_so(kind: str) -> None:
    letters = ("b", "c", "d", "f")
    values = [p for p in parameter_values(kind) if {*named_symbols(kind, p)} <= {*letters}]
    for params, length in itertools.product(values[:4], (3, 4)):
        whole = [
            items
            for items in itertools.product(letters, repeat=length)
            if PREDICATES[kind].holds(items, params)
        ]
        begun = {items[:size] for items in whole for size in range(length + 1)}
        for size in range(length + 1):
            for items in itertools.product(letters, repeat=size):
                assert PREDICATES[kind].can(items, length, params) == (items in begun)


def test_phrases_and_notes_say_the_parameters() -> None:
    for kind, row in PREDICATES.items():
        for params in parameter_values(kind)[:6]:
            for wording in range(len(row.wordings)):
                said = phrase(kind, params, wording)
                assert "{" not in said
                assert {*named_symbols(kind, params)} <= {*said.replace(",", "").split()}
            assert "{" not in note(kind, params)
    assert phrase("place", ("4", "k"), 0) == "the fourth letter is k"
    assert phrase("count", ("5",), 0) == "use exactly five letters"
    assert phrase("count", ("5",), 0, digits=True) == "use exactly 5 letters"
    assert note("follows", ("k", "m")) == "k then m"
    assert note("sorted", ("down",)) == "order down"
