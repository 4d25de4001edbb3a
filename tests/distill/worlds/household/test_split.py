"""What is held out stays out."""

import random

import pytest
from skillweave.distill.worlds.household import (
    WORLD,
    HouseholdSpec,
    combinations,
    held_out_spec,
    is_held_out,
    is_open,
    open_spec,
)
from skillweave.distill.worlds.household.nouns import FIXTURES_OF, STORAGE, THINGS
from skillweave.distill.worlds.household.rooms import random_spec
from skillweave.distill.worlds.household.split import HELD_OUT_SHARE, is_hashed_out


def test_a_combination_is_shape_place_fixture_and_thing() -> None:
    spec = HouseholdSpec(
        "heat", (("cup", "drawer 1"), ("pen", "safe 2")), "stove 3", "box 1", "picnic"
    )
    assert combinations(spec) == ("heat>box>stove>cup", "heat>box>stove>pen")
    look = HouseholdSpec("look", spec.homes, "lamp 1", None, "picnic")
    assert combinations(look) == ("look>->lamp>cup", "look>->lamp>pen")


def test_about_the_stated_share_is_held_out_and_every_word_stands_on_both_sides() -> None:
    keys = [
        (place, fixture, thing)
        for place in STORAGE
        for fixture in FIXTURES_OF["heat"]
        for thing in THINGS
    ]
    out = {key for key in keys if is_hashed_out(">".join(("heat", *key)))}
    assert abs(len(out) / len(keys) - HELD_OUT_SHARE) < 0.03
    for column in range(3):
        words = {key[column] for key in keys}
        assert {key[column] for key in out} == words
        assert {key[column] for key in set(keys) - out} == words


@pytest.mark.parametrize("level", [1, 2, 3])
def test_no_open_skill_shares_a_combination_with_a_held_out_one(level: int) -> None:
    rng = random.Random(level)
    closed = [held_out_spec(rng, level) for _ in range(30)]
    seen = [open_spec(rng, level) for _ in range(60)]
    assert all(map(is_held_out, closed))
    assert all(map(is_open, seen))
    assert {spec.level for spec in [*closed, *seen]} == {level}
    keys = {key for spec in seen for key in combinations(spec)}
    assert not keys & {key for spec in closed for key in combinations(spec)}


def test_no_skill_is_both_open_and_held_out() -> None:
    rng = random.Random(0)
    specs = [random_spec(rng) for _ in range(500)]
    assert not any(is_open(spec) and is_held_out(spec) for spec in specs)
    assert any(not is_open(spec) and not is_held_out(spec) for spec in specs)


def test_the_world_draws_skills_from_the_side_that_is_asked_for() -> None:
    for seed in range(5):
        for level in WORLD.spec.levels:
            for held_out, rule in ((True, is_held_out), (False, is_open)):
                skill = WORLD.skill(level, seed=seed, held_out=held_out)
                assert rule(HouseholdSpec.from_json(skill.metadata["skillweave.checker"]))
