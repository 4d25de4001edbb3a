"""A skill as a value: what it computes, and what it refuses to be."""

import json
import random

import pytest
from skillweave.distill.worlds.string_skills import Operation, SkillSpec, random_spec


def test_the_states_follow_the_order_of_the_operations(spec: SkillSpec) -> None:
    assert spec.states(("b", "c", "d")) == (("c", "d"), ("d", "c"))
    assert spec.final(("b", "c", "d")) == "[ d c ]"
    turned = SkillSpec(spec.operations[::-1], spec.format, spec.topic)
    assert turned.final(("b", "c", "d")) == "[ c b ]"


def test_json_gives_back_the_same_skill() -> None:
    rng = random.Random(0)
    for index in range(300):
        spec = random_spec(rng, 1 + index % 3)
        text = spec.to_json()
        assert SkillSpec.from_json(text) == spec
        assert SkillSpec.from_json(text).digest == spec.digest
        assert "\n" not in text


def test_the_json_is_this_and_stays_this(spec: SkillSpec) -> None:
    """Stored skills hold it."""
    assert json.loads(spec.to_json()) == {
        "steps": [["drop-first", "1"], ["reverse"]],
        "format": "brackets",
        "topic": "picnic",
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("{", "Expecting"),
        ("[]", "is not a string-world skill"),
        ('"steps"', "is not a string-world skill"),
        ("{}", "is not a string-world skill: 'steps'"),
        ('{"steps": 5, "format": "plain", "topic": "picnic"}', "is not a string-world skill"),
        ('{"steps": [[]], "format": "plain", "topic": "picnic"}', "is not a string-world skill"),
        ('{"steps": [], "format": "plain", "topic": "picnic"}', "1 to 6 operations, got 0"),
        ('{"steps": [["reverse"]], "topic": "picnic"}', "'format'"),
        ('{"steps": [["reverse"]], "format": "plain"}', "'topic'"),
        ('{"steps": [["reverse"]], "format": "xml", "topic": "picnic"}', "'xml' is unknown"),
        ('{"steps": [["exec"]], "format": "plain", "topic": "picnic"}', "'exec' is unknown"),
        ('{"steps": [["reverse", "1"]], "format": "plain", "topic": "picnic"}', "parameters"),
        ('{"steps": [["drop-first", 1]], "format": "plain", "topic": "picnic"}', "parameters"),
        ('{"steps": [["drop-first", "9"]], "format": "plain", "topic": "picnic"}', "parameters"),
        ('{"steps": [["remove", "e"]], "format": "plain", "topic": "picnic"}', "parameters"),
    ],
)
def test_a_checker_that_is_no_skill_of_this_world_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SkillSpec.from_json(text)


def test_a_skill_has_at_most_six_operations() -> None:
    with pytest.raises(ValueError, match="1 to 6 operations, got 7"):
        SkillSpec((Operation("reverse"),) * 7, "plain", "picnic")


def test_an_operation_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(ValueError, match=r"'shuffle' is unknown, expected one of reverse, "):
        Operation("shuffle")
    with pytest.raises(ValueError, match=r"got parameters \(\), expected one of \(\('1',\)"):
        Operation("drop-first")
