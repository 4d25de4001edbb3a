"""A skill as a value."""

import dataclasses
import json
from typing import Any

import pytest
from skillweave.distill.worlds.household import HouseholdSpec
from skillweave.distill.worlds.household.goals import Goal

HOMES = (("cup", "drawer 1"), ("pen", "shelf 2"))
SPEC = HouseholdSpec("clean", HOMES, "sink 1", "desk 1", "picnic")


def test_the_goal_names_the_thing_that_is_asked_for() -> None:
    assert SPEC.goal("pen") == Goal("pen", 1, "sink 1", "desk 1")
    assert SPEC.goal("pen").trait == "clean"
    look = HouseholdSpec("look", HOMES, "lamp 3", None, "picnic")
    assert look.goal("cup") == Goal("cup", 1, "lamp 3", None)
    assert look.goal("cup").trait == "seen lamp 3"
    assert HouseholdSpec("two", HOMES, None, "desk 1", "picnic").goal("cup").count == 2
    with pytest.raises(ValueError, match=r"thing of this skill 'egg' is unknown, .* cup, pen"):
        SPEC.goal("egg")


@pytest.mark.parametrize(
    ("shape", "homes", "fixture", "place", "most", "level"),
    [
        ("place", (("cup", "shelf 1"), ("pen", "shelf 2")), None, "desk 1", 4, 1),
        ("look", HOMES, "lamp 1", None, 5, 1),
        ("place", HOMES, None, "safe 1", 6, 2),
        ("cool", (("cup", "shelf 1"), ("pen", "shelf 2")), "fridge 1", "desk 1", 6, 2),
        ("two", HOMES, None, "desk 1", 7, 3),
        ("heat", HOMES, "stove 2", "box 3", 8, 3),
    ],
)
def test_the_level_follows_from_the_longest_plan(
    shape: Any, homes: Any, fixture: str | None, place: str | None, most: int, level: int
) -> None:
    spec = HouseholdSpec(shape, homes, fixture, place, "picnic")
    assert (spec.most_actions, spec.level) == (most, level)


def test_a_checker_comes_back_unchanged() -> None:
    assert HouseholdSpec.from_json(SPEC.to_json()) == SPEC
    assert HouseholdSpec.from_json(SPEC.to_json()).digest == SPEC.digest


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"shape": "burn"}, "shape 'burn' is unknown"),
        ({"topic": "space"}, "topic 'space' is unknown"),
        ({"fixture": "fridge 1"}, "fixture of 'clean' 'fridge 1' is unknown, expected .* sink 1"),
        ({"fixture": None}, "fixture of 'clean' None is unknown"),
        ({"place": None}, "place of 'clean' None is unknown"),
        ({"place": "shelf 4"}, "place of 'clean' 'shelf 4' is unknown"),
        ({"place": "sink 1"}, "place of 'clean' 'sink 1' is unknown"),
        ({"place": "drawer 1"}, "must differ"),
        ({"homes": (("cup", "drawer 1"), ("cup", "shelf 2"))}, "must differ"),
        ({"homes": (("cup", "drawer 1"),)}, "two pairs of thing and place"),
        ({"homes": (("cup", "drawer 1"), ("cat", "shelf 2"))}, "thing 'cat' is unknown"),
        ({"homes": (("cup", "drawer 1"), ("pen", "lamp 2"))}, "home 'lamp 2' is unknown"),
    ],
)
def test_what_the_world_lacks_is_refused(change: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        dataclasses.replace(SPEC, **change)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"shape": 3}', "[" * 100_000, '{"homes": [3]}', "\udc80"],
    ids=["empty", "object", "list", "null", "number", "deep", "pair", "surrogate"],
)
def test_an_unreadable_checker_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"checker .* is not a household skill"):
        HouseholdSpec.from_json(text)


@pytest.mark.parametrize("field", ["shape", "homes", "fixture", "place", "topic"])
@pytest.mark.parametrize("value", [3, [], [[["cup"], "drawer 1"]] * 2, {"a": 1}, True])
def test_a_field_of_another_kind_is_refused(field: str, value: Any) -> None:
    data = json.loads(SPEC.to_json()) | {field: value}
    with pytest.raises(ValueError, match=r"unknown, expected|two pairs|not a household skill"):
        HouseholdSpec.from_json(json.dumps(data))
