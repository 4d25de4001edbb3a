"""Practice in looking things up says what its text says, in the order asked."""

import random

from skillweave.distill.tiny_base import practice


def test_pairs_are_said_again_as_they_were_said() -> None:
    rng = random.Random(4)
    for _ in range(40):
        told = practice.pairs(rng)
        assert told.text is not None
        request, answer = told.draw(rng)
        lines = answer["content"].split("\n")
        assert len(lines) == len(request["content"].split(", "))
        for line in lines:
            assert line.removeprefix("- ") in told.text


def test_codes_are_those_of_the_table() -> None:
    rng = random.Random(5)
    for _ in range(20):
        told = practice.codes(rng)
        assert told.text is not None
        request, answer = told.draw(rng)
        lines = answer["content"].split("\n")
        asked = request["content"].split(": ")[1].split(", ")
        assert [line.removeprefix("- ").split(": ")[0] for line in lines] == asked
        for line in lines:
            entity, code = line.removeprefix("- ").split(": ")
            assert entity in told.text
            assert code in told.text.replace(" | ", " ")


def test_definitions_name_the_functions_that_are_asked_for() -> None:
    rng = random.Random(6)
    for _ in range(20):
        told = practice.definitions(rng)
        assert told.text is not None
        request, answer = told.draw(rng)
        asked = request["content"].split(": ")[1].split(", ")
        lines = answer["content"].split("\n")
        assert len(lines) == len(asked)
        for name, line in zip(asked, lines, strict=True):
            assert name in line
            assert name in told.text


def test_homes_are_those_of_the_text() -> None:
    rng = random.Random(7)
    for _ in range(20):
        told = practice.homes(rng)
        assert told.text is not None
        _, answer = told.draw(rng)
        for line in answer["content"].split("\n"):
            thing, place = line.removeprefix("- ").split(": go to ")
            assert thing in told.text
            assert place in told.text.lower()


def test_applications_apply_the_functions_of_the_text_one_by_one() -> None:
    rng = random.Random(8)
    for _ in range(20):
        told = practice.applications(rng)
        assert told.text is not None
        request, answer = told.draw(rng)
        asked = request["content"].split(": ")[1].split(", ")
        lines = answer["content"].split("\n")
        assert [line.split(" = ")[0] for line in lines] == asked
        assert all(name in told.text for name in asked)
