"""Labels stay few, whatever clients ask for."""

import pytest
from skillweave.server.gateway.telemetry.labels import Bounded, adapter_word, decision_word
from skillweave.server.gateway.telemetry.request_id import new_request_id, sound


def test_the_first_words_keep_their_place() -> None:
    word = Bounded(2)
    assert [word(w) for w in "abcab"] == ["a", "b", "other", "a", "b"]
    assert len(word) == 2


@pytest.mark.parametrize(
    ("adapter", "word"),
    [
        ("team/sql", "team/sql"),
        ("base", "base"),
        ("a+b", "mix"),
        ("a*0.5", "mix"),
        ("run-1", "run-1"),
    ],
)
def test_what_stands_for_an_adapter(adapter: str, word: str) -> None:
    assert adapter_word(adapter) == word


@pytest.mark.parametrize(
    ("route", "form", "word"),
    [
        ("named", "adapter", "named"),
        ("sticky", "text", "sticky"),
        ("auto", "adapter", "selector"),
        ("auto: it says sql", "text", "selector"),
        ("auto: nothing fits", "none", "abstain"),
        ("something else", "none", "other"),
    ],
)
def test_what_decided(route: str, form: str, word: str) -> None:
    assert decision_word(route, form) == word


@pytest.mark.parametrize("given", ["a", "A.b_c-9", "x" * 64])
def test_a_sound_id_is_kept(given: str) -> None:
    assert sound(given) == given


@pytest.mark.parametrize("given", [None, "", "x" * 65, "a b", "a\n", "é", "{}"])
def test_any_other_is_not(given: str | None) -> None:
    assert sound(given) is None


def test_new_ids_are_sound_and_differ() -> None:
    ids = {new_request_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(sound(each) for each in ids)
