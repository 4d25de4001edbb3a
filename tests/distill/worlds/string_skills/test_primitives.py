"""What every primitive does, by hand-worked lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.distill.worlds.string_skills.primitives import (
    ALPHABET,
    PRIMITIVES,
    parameter_values,
    phrase,
)

WORKED = [
    ("reverse", "", "b c d f g", "g f d c b"),
    ("rotate-left", "1", "b c d f g", "c d f g b"),
    ("rotate-left", "2", "b c d f g", "d f g b c"),
    ("rotate-left", "3", "b c d f g", "f g b c d"),
    ("rotate-right", "1", "b c d f g", "g b c d f"),
    ("rotate-right", "2", "b c d f g", "f g b c d"),
    ("rotate-right", "3", "b c d f g", "d f g b c"),
    ("swap-ends", "", "b c d f g", "g c d f b"),
    ("drop-first", "1", "b c d f g", "c d f g"),
    ("drop-first", "2", "b c d f g", "d f g"),
    ("drop-last", "1", "b c d f g", "b c d f"),
    ("drop-last", "2", "b c d f g", "b c d"),
    ("keep-first", "2", "b c d f g", "b c"),
    ("keep-first", "3", "b c d f g", "b c d"),
    ("keep-last", "2", "b c d f g", "f g"),
    ("keep-last", "3", "b c d f g", "d f g"),
    ("replace", "c k", "b c d c g", "b k d k g"),
    ("remove", "c", "b c d c g", "b d g"),
    ("append", "k", "b c d", "b c d k"),
    ("prepend", "k", "b c d", "k b c d"),
    ("double", "", "b c b", "b b c c b b"),
    ("repeat", "", "b c d", "b c d b c d"),
    ("swap-pairs", "", "b c d f", "c b f d"),
    ("swap-pairs", "", "b c d f g", "c b f d g"),
    ("every-second", "1", "b c d f g", "b d g"),
    ("every-second", "2", "b c d f g", "c f"),
    ("mirror", "", "b c d", "b c d d c b"),
    ("sort", "up", "g b t c b", "b b c g t"),
    ("sort", "down", "g b t c b", "t g c b b"),
    ("insert-after", "c k", "b c d c", "b c k d c k"),
    ("insert-after", "c k", "k c c", "k c k c k"),
    ("set-place", "1 k", "b c d", "k c d"),
    ("set-place", "2 k", "b c d", "b k d"),
    ("set-place", "3 k", "b c d", "b c k"),
]

EDGES = [
    # An absent symbol changes nothing.
    ("replace", "k c", "b c d", "b c d"),
    ("remove", "k", "b c d", "b c d"),
    ("insert-after", "k c", "b c d", "b c d"),
    # A place behind the end changes nothing.
    ("set-place", "3 k", "b c", "b c"),
    # A shift goes round as often as it must.
    ("rotate-left", "3", "b c", "c b"),
    ("rotate-right", "3", "b c", "c b"),
    ("rotate-left", "2", "b", "b"),
    # What is too short is kept, or dropped, whole.
    ("drop-first", "2", "b", ""),
    ("drop-last", "2", "b", ""),
    ("keep-first", "3", "b c", "b c"),
    ("keep-last", "3", "b c", "b c"),
    ("every-second", "2", "b", ""),
    ("swap-ends", "", "b c", "c b"),
    ("swap-ends", "", "b", "b"),
    ("swap-pairs", "", "b", "b"),
    # The empty list.
    ("remove", "b", "b b", ""),
    ("set-place", "1 k", "", ""),
    ("append", "k", "", "k"),
    ("prepend", "k", "", "k"),
    ("mirror", "", "", ""),
]

LISTS = st.lists(st.sampled_from(ALPHABET), max_size=8).map(tuple)


def apply(kind: str, params: str, items: str) -> str:
    return " ".join(PRIMITIVES[kind].apply(tuple(items.split()), tuple(params.split())))


@pytest.mark.parametrize(("kind", "params", "items", "expected"), WORKED + EDGES)
def test_a_primitive_does_what_was_worked_by_hand(
    kind: str, params: str, items: str, expected: str
) -> None:
    assert tuple(params.split()) in parameter_values(kind)
    assert apply(kind, params, items) == expected


def test_every_primitive_is_worked_by_hand() -> None:
    assert {kind for kind, *_ in WORKED} == set(PRIMITIVES)
    assert len(PRIMITIVES) == 20


@pytest.mark.parametrize("kind", ["reverse", "rotate-left", "rotate-right", "swap-ends", "sort"])
def test_the_empty_list_stays_empty(kind: str) -> None:
    for params in parameter_values(kind):
        assert PRIMITIVES[kind].apply((), params) == ()


@given(LISTS)
def test_laws(items: tuple[str, ...]) -> None:
    def do(kind: str, *params: str, on: tuple[str, ...] = items) -> tuple[str, ...]:
        return PRIMITIVES[kind].apply(on, params)

    for kind in ("reverse", "swap-ends", "swap-pairs"):
        assert do(kind, on=do(kind)) == items
    for shift in ("1", "2", "3"):
        assert do("rotate-right", shift, on=do("rotate-left", shift)) == items
    assert do("mirror") == do("mirror")[::-1]
    assert do("repeat")[: len(items)] == items == do("double")[::2]
    assert do("sort", "up") == do("sort", "down")[::-1]
    assert do("drop-first", "2") == items[2:]
    assert do("drop-last", "1", on=do("append", "b")) == items
    assert do("drop-first", "1", on=do("prepend", "b")) == items


def test_growing_and_shrinking_are_marked() -> None:
    """The marks bound how long a list can become, and that it does not vanish."""
    items = tuple("bcdfg")
    for row in PRIMITIVES.values():
        sizes = [len(row.apply(items, params)) for params in parameter_values(row.kind)]
        assert row.grows == all(size >= 10 for size in sizes), row.kind
        assert row.shrinks == (max(sizes) < 5), row.kind


def test_no_two_operations_share_a_phrase() -> None:
    """A skill text means one procedure: every wording names kind and parameters."""
    meaning: dict[str, tuple[str, tuple[str, ...]]] = {}
    for kind in PRIMITIVES:
        for params in parameter_values(kind):
            for wording in range(12):
                for digits in (False, True):
                    text = phrase(kind, params, wording, digits=digits)
                    assert "{" not in text
                    assert meaning.setdefault(text, (kind, params)) == (kind, params)
    assert len(meaning) > 2000


def test_a_wording_has_several_forms_and_numbers_two_spellings() -> None:
    assert phrase("drop-first", ("2",), 0) == "drop the first two"
    assert phrase("drop-first", ("2",), 0, digits=True) == "drop the first 2"
    assert phrase("drop-first", ("2",), 4) == phrase("drop-first", ("2",), 0)
    assert phrase("set-place", ("3", "k"), 1) == "change the third item into k"
    assert phrase("insert-after", ("c", "k"), 0) == "put k after every c"
    assert phrase("sort", ("down",), 0) == "sort the items from t to b"
    assert phrase("sort", ("down",), 1) == "order the items downwards"
    assert all(len(set(row.wordings)) >= 3 for row in PRIMITIVES.values())


def test_an_unknown_primitive_has_no_parameters() -> None:
    with pytest.raises(KeyError):
        parameter_values("shuffle")
