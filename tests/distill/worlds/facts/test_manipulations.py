"""What each manipulation makes of facts, by hand; tables that are refused."""

import json

import pytest
from skillweave.distill.worlds.facts import (
    MANIPULATIONS,
    Fact,
    FactsSpec,
    of_level,
    worked_answer,
)
from skillweave.distill.worlds.facts.classes import CLASS_OF, CLASSES, is_code

WOLF: Fact = ("wolf", ("k", "4", "m"))
OWL: Fact = ("owl", ("b", "2"))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("recall", "final: k 4 m"),
        ("invert", "final: wolf"),
        ("reverse", "1: k 4 m\nfinal: m 4 k"),
        ("first", "1: k 4 m\nfinal: k"),
        ("last", "1: k 4 m\nfinal: m"),
        ("rest", "1: k 4 m\nfinal: 4 m"),
        ("double", "1: k 4 m\nfinal: k k 4 4 m m"),
        ("rotate", "1: k 4 m\nfinal: 4 m k"),
        ("length", "1: k 4 m\nfinal: k 4 m 3"),
        ("join", "1: k 4 m\n2: b 2\nfinal: k 4 m b 2"),
        ("join-turned", "1: k 4 m\n2: b 2\nfinal: k 4 m 2 b"),
        ("firsts", "1: k 4 m\n2: b 2\nfinal: k b"),
        ("lasts", "1: k 4 m\n2: b 2\nfinal: m 2"),
        ("longer", "1: k 4 m\n2: b 2\nfinal: wolf k 4 m"),
        ("shorter", "1: k 4 m\n2: b 2\nfinal: owl b 2"),
    ],
)
def test_worked_answers_by_hand(name: str, answer: str) -> None:
    row = MANIPULATIONS[name]
    assert worked_answer(name, (WOLF, OWL)[: row.num_facts]) == answer


def test_a_comparison_does_not_depend_on_the_order_and_needs_unequal_codes() -> None:
    row = MANIPULATIONS["longer"]
    assert row.apply((OWL, WOLF)) == row.apply((WOLF, OWL)) == ("wolf", "k", "4", "m")
    assert row.fits((OWL, WOLF))
    assert not row.fits((OWL, ("fox", ("c", "1"))))


def test_every_manipulation_has_a_level_and_every_hand_worked_case_is_here() -> None:
    assert of_level(1) == ("recall",)
    assert len(of_level(2)) == 8
    assert len(of_level(3)) == 6
    assert {*of_level(1), *of_level(2), *of_level(3)} == set(MANIPULATIONS)
    with pytest.raises(ValueError, match="level 4 does not exist in facts, expected 1, 2 or 3"):
        of_level(4)


def test_an_entity_is_of_one_class_and_no_class_is_an_entity() -> None:
    words = [word for row in CLASSES.values() for word in row]
    assert len(words) == len(set(words)) == len(CLASS_OF)
    assert not set(words) & set(CLASSES)
    assert min(len(row) for row in CLASSES.values()) >= 8


def test_a_code_has_two_or_three_different_symbols() -> None:
    assert is_code(("k", "4"))
    assert is_code(("k", "4", "m"))
    for code in ((), ("k",), ("k", "k"), ("a", "4"), ("k", "4", "m", "1"), ("k4", "m")):
        assert not is_code(code)


def table(**changes: object) -> str:
    rows = {"class": "animal", "facts": [["wolf", "k", "4"], ["owl", "b", "2"]], "ask": ["recall"]}
    return json.dumps(rows | changes)


def test_a_checker_is_read_back() -> None:
    spec = FactsSpec.from_json(table())
    assert spec == FactsSpec("animal", (("wolf", ("k", "4")), OWL), ("recall",))
    assert FactsSpec.from_json(spec.to_json()) == spec
    assert spec.code_of("owl") == ("b", "2")
    with pytest.raises(KeyError):
        spec.code_of("fox")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("[]", "is not a table of facts"),
        ("{}", "is not a table of facts"),
        (table(facts=3), "is not a table of facts"),
        (table(**{"class": "moon"}), "class 'moon' is unknown, expected one of animal, "),
        (table(facts=[["wolf", "k", "4"]]), "2 to 8 facts, got 1"),
        (table(facts=[["wolf", "k", "4"], ["mug", "b", "2"]]), "fact 'mug' .* of class 'animal'"),
        (table(facts=[["wolf", "k", "4"], ["owl", "rm"]]), "fact 'owl' -> .'rm',. is not"),
        (table(facts=[["wolf", "k", "4"], ["owl", "k", "4"]]), "stands twice"),
        (table(facts=[["wolf", "k", "4"], ["wolf", "k", "5"]]), "stands twice"),
        (table(ask=[]), r"manipulations \(\), expected some of recall, "),
        (table(ask=["exec"]), r"manipulations \('exec',\)"),
        (table(ask=["longer"]), "'longer' needs codes of unequal length"),
    ],
)
def test_a_checker_that_is_no_table_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        FactsSpec.from_json(text)
